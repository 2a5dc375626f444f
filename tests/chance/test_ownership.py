"""Machine code is read only from where nobody else can have put it."""

import os
import stat

import pytest

from sim.chance import compiler
from sim.chance.ownership import stranger_at

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners are numbers on POSIX only")


@pytest.fixture
def place(tmp_path):
    (tmp_path / "cache" / "sim-0123").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "cache", tmp_path / "cache" / "sim-0123"):
        folder.chmod(0o700)
    return tmp_path / "cache" / "sim-0123"


def test_a_private_directory_is_safe(place):
    assert stranger_at(place) == ""


@pytest.mark.parametrize("which", ["itself", "its parent"])
@pytest.mark.parametrize(("mode", "words"), [(0o777, "by everybody"), (0o702, "by everybody"), (0o770, "by its group")])
def test_what_others_can_write_is_not(place, which, mode, words, monkeypatch):
    monkeypatch.setattr("sim.chance.ownership._group_of_one", lambda _: False)
    changed = place if which == "itself" else place.parent
    changed.chmod(mode)
    assert stranger_at(place) == f"{changed} is writable {words}"


def test_a_group_that_is_the_user_alone_is_the_user(place, monkeypatch):
    monkeypatch.setattr("sim.chance.ownership._group_of_one", lambda _: True)
    place.chmod(0o770)
    assert stranger_at(place) == ""


def test_a_shared_place_with_the_sticky_bit_may_be_on_the_way_and_not_the_end(place):
    place.parent.chmod(0o1777)
    assert stranger_at(place) == ""
    place.chmod(0o1777)
    assert "writable by everybody" in stranger_at(place)


@pytest.mark.parametrize("which", ["itself", "its parent"])
def test_what_belongs_to_somebody_else_is_not_safe(place, which, monkeypatch):
    owner = os.geteuid() + 1
    theirs = place if which == "itself" else place.parent
    real = type(place).stat
    monkeypatch.setattr(
        type(place), "stat", lambda self, **how: owned(real(self, **how), owner if self == theirs else os.geteuid())
    )
    assert stranger_at(place) == f"{theirs} belongs to another user"


def owned(status, owner):
    return os.stat_result((status.st_mode, status.st_ino, status.st_dev, status.st_nlink, owner, *tuple(status)[5:]))


def test_a_prepared_cache_is_not_read_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(compiler, "_base", lambda: tmp_path)
    safe = type(compiler._home)()
    assert safe.directory is not None
    assert stat.S_IMODE(safe.directory.stat().st_mode) == 0o700
    safe.directory.chmod(0o777)
    prepared = type(compiler._home)()
    assert prepared.directory is None
    assert "the place of its machine code is not safe" in prepared.note
    assert "writable by everybody" in prepared.note
