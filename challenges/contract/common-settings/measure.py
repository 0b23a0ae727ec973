"""Settings read from flags: every kind of value, forms of a flag, what is refused, what `--help` names."""

CASES = (
    [],
    ["--count", "7"],
    ["--count=7"],
    ["--count", "-7"],
    ["--count", "7.5"],
    ["--count", "seven"],
    ["--count"],
    ["--the-share", "0.5"],
    ["--the_share", "0.25"],
    ["--the_share=1e-3"],
    ["--the-share", "1"],
    ["--the-share", "half"],
    ["--name", "some_thing-else"],
    ["--name=a_b=c_d"],
    ["--is-on"],
    ["--no-is-on"],
    ["--no-is-off"],
    ["--is_off"],
    ["--is-on", "true"],
    ["--maybe", "none"],
    ["--maybe", "NONE"],
    ["--maybe", "3"],
    ["--maybe", "3.5"],
    ["--perhaps", "0.5"],
    ["--perhaps", "none"],
    ["--size", "large"],
    ["--size", "huge"],
    ["--size", "none"],
    ["--cou", "7"],
    ["--unknown", "7"],
    ["stray"],
    ["--count", "99"],
    ["--count", "100"],
    ["--count", "1", "--count", "2", "--is-on"],
)


def draw(rng):
    """Numbers to be read."""
    return {"count": rng.randint(-50, 98), "share": round(rng.uniform(-2, 2), 6)}


def measure(inputs):
    """The settings as they are read; where the program ends, with which status."""
    import sys
    from types import SimpleNamespace

    from bughunt.lab.measuring.replacing import replaced

    kind = _settings()
    drawn = ["--count", str(inputs["count"]), "--the-share", str(inputs["share"])]
    found = {" ".join(case) or "no flags": _read(kind, case) for case in CASES}
    with replaced(sys, argv=["program", "--count", "5"]):
        found["flags of the program"] = _read(kind, None)
    help_page = _read(kind, ["--help"])
    with replaced(sys.modules["__main__"], __spec__=SimpleNamespace(name="scripts.some")):
        found["help of a module"] = _read(kind, ["--help"])
    return {**found, "drawn": _read(kind, drawn), "help": help_page}


def _settings():
    from dataclasses import make_dataclass
    from typing import Literal

    from nanochat.common import UserError, setting

    def check(settings):
        if settings.count == 99:
            raise ValueError("99")
        if settings.count == 100:
            raise UserError("100")

    fields = [
        ("count", int, setting(4, "how many, 100 % of them")),
        ("the_share", float, setting(0.75, "a share")),
        ("name", str, setting("any", "a name")),
        ("is_on", bool, setting(False, "on")),
        ("is_off", bool, setting(True, "off")),
        ("maybe", int | None, setting(None, "a number or none")),
        ("perhaps", float | None, setting(2.5, "a number or none")),
        ("size", Literal["small", "middle", "large"], setting("middle", "one of three")),
    ]
    own = {"__post_init__": check, "__doc__": "Settings of some program."}
    return make_dataclass("Settings", fields, frozen=True, kw_only=True, namespace=own)


def _read(kind, words):
    import contextlib
    import io
    import re
    from dataclasses import asdict

    from nanochat.common import parse_settings

    output, errors = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            settings = parse_settings(kind, *([] if words is None else [words]))
    except SystemExit as exit:
        page = output.getvalue()
        flags = sorted(set(re.findall(r"--[a-z-]+", page)))
        defaults = re.findall(r"\(default: ([^)]*)\)", " ".join(page.split()))
        return {
            "status": exit.code or 0,
            "flags": flags,
            "defaults": defaults,
            "shares": re.findall(r"\d+ %\s+\w+", page),
            "choices": [name for name in ("small", "large") if re.search(rf"\b{name}\b", page)],
            "names the module": "scripts.some" in page,
            "shows an object of the code": " at 0x" in " ".join(page.split()),
            "says why": bool(errors.getvalue()),
        }
    return {name: [type(value).__name__, value] for name, value in asdict(settings).items()}
