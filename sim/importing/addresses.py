"""Who may call whom: host names in the settings, arguments and start order of a service. Manifests say no more of calls
than this.

The rules are those by which demo shops and twelve-factor applications (https://12factor.net/backing-services) are told
of their neighbours: `CART_SERVICE_ADDR=cart:7070`, `http://catalogue/`, `jdbc:mysql://db:3306/shop`,
`Server=db;Database=shop`, `DB_HOST=db`, `--backend=http://api:8080`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.importing.draft import Address
from sim.spec.document import Place

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62})"
_HOST = rf"{_LABEL}(?:\.{_LABEL}){{0,8}}"
_URL = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]{{0,30}}://(?:[^\s/@,]{{0,200}}@)?({_HOST})")
_WITH_PORT = re.compile(rf"(?:^|[\s,=@(])({_HOST}):[0-9]{{2,5}}(?=$|[\s,/?);])")
# of .NET and libpq
_CONNECTION = re.compile(
    rf"(?:^|;)\s*(?:server|host|data source)\s*=\s*(?:tcp:)?({_HOST})\s*(?=$|[;,:])", re.IGNORECASE
)
_BARE = re.compile(_HOST)
_NAMES_A_HOST = re.compile(
    r"(?:^|_)(?:HOST|HOSTNAME|HOSTS|ADDR|ADDRESS|URL|URI|ENDPOINT|SERVER|SERVERS|BROKERS?|UPSTREAM|BACKEND|SERVICE|DNS|DOMAIN)$"
)
_ENDINGS = re.compile(
    r"(?:_(?:SERVICE|SVC|API|BASE|GRPC|HTTP|INTERNAL))*_(?:HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|ENDPOINT|SERVER)$"
)
_MOST = 20  # hosts of one setting
_LONGEST = 4000  # characters of a setting that are looked at


def of_variable(name: str, value: str | None, at: Place) -> Iterator[Address]:
    """The hosts that an environment variable names; without a value the service after which it seems to be called."""
    upper = re.sub(r"[^A-Z0-9]+", "_", name[:200].upper())
    if value is None:
        yield from of_name(name, at)
        return
    yield from of_text(value, name[:200], at)
    if _NAMES_A_HOST.search(upper) and _BARE.fullmatch(value.strip()[:300]):
        yield Address(value.strip(), f"guessed from {name[:200]}", at)


def of_name(name: str, at: Place) -> Iterator[Address]:
    """`CART_ADDR`, whose value no file says, is perhaps that of `cart`."""
    upper = re.sub(r"[^A-Z0-9]+", "_", name[:200].upper())
    if _ENDINGS.search(upper):
        stem = _ENDINGS.sub("", upper)
        for host in dict.fromkeys((stem.replace("_", "-").lower(), stem.lower(), stem.replace("_", "").lower())):
            for ending in ("", "-service", "service"):
                yield Address(host + ending, f"guessed from the name {name[:200]} alone", at)


def of_text(text: str, name: str, at: Place) -> Iterator[Address]:
    """The hosts in a text: of URLs, of `host:port`, and of connection strings."""
    hosts = dict.fromkeys(
        found[1] for pattern in (_URL, _WITH_PORT, _CONNECTION) for found in pattern.finditer(text[:_LONGEST])
    )
    for host in list(hosts)[:_MOST]:
        yield Address(host, f"guessed from {name}", at)
