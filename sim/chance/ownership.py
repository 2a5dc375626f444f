"""Whether a place on disk is the user's own: machine code is unpickled when it is read, so whoever can write there can
run code as the user.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def stranger_at(path: Path) -> str:
    """Who else could have put something into a directory: a sentence; empty where nobody could.

    The directory and all that it stands in must belong to the user or to root, and be writable by nobody else; in a
    shared place such as `/tmp` only the owner of an entry can replace it (the sticky bit). A group that has the user
    alone is the user. As OpenSSH's StrictModes does.
    """
    if not hasattr(os, "geteuid"):
        return ""  # Windows: the profile of a user is closed to others by its access lists
    for place in (path, *path.resolve().parents):
        status = place.stat()
        if status.st_uid not in (os.geteuid(), 0) or (place == path and status.st_uid != os.geteuid()):
            return f"{place} belongs to another user"
        shared = place != path and status.st_mode & stat.S_ISVTX
        if status.st_mode & stat.S_IWOTH and not shared:
            return f"{place} is writable by everybody"
        if status.st_mode & stat.S_IWGRP and not shared and not _group_of_one(status.st_gid):
            return f"{place} is writable by its group"
    return ""


def _group_of_one(group: int) -> bool:
    """Whether a group is the private one of this user, with nobody else in it."""
    import grp
    import pwd

    try:
        name, entry = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return entry.gr_name == name and set(entry.gr_mem) <= {name}
