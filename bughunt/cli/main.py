"""Runs the command line. However a command ends, it ends with a sentence and a status of the design's."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import typer

from bughunt.cli import completion, output
from bughunt.cli.app import app
from bughunt.errors import BughuntError, Exit, OutputError

_NO_ROOM = (errno.ENOSPC, errno.EIO, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC))
_NO_ROOM_STEP = "Look at the place that the output goes to, and at the space left on the disk."


def main() -> None:
    """Runs the command line and exits with the status that the design gives."""
    if completion.REQUEST in os.environ:
        completion.answer_request(app)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carries out a command and returns its exit status."""
    as_json = "--json" in arguments
    try:
        _expect_streams()
        status = _invoke(arguments)
        output.show_notices()
        output.finish()
        return status
    except BughuntError as error:
        return _end(error, as_json and not isinstance(error, OutputError))
    except KeyboardInterrupt:
        return _end(BughuntError("Interrupted. Nothing was lost.", code=Exit.INTERRUPTED), as_json)
    except BrokenPipeError:
        output.finish()
        return Exit.DONE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
            return _end(OutputError(f"Something cannot be written: {error.strerror}.", _NO_ROOM_STEP), False)
        if (usage := _usage_error(error, as_json)) is not None:
            return usage
        from bughunt.cli.crash import unforeseen

        return _end(unforeseen(error, arguments), as_json)


def _invoke(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(app)
    try:
        with command.make_context("bughunt", list(arguments)) as context:
            return int(command.invoke(context) or Exit.DONE)
    except typer.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        # Rich ends the program where nobody reads its help any more.
        if isinstance(ended.__context__, BrokenPipeError):
            return Exit.DONE
        raise


def _expect_streams() -> None:
    """What is closed would be taken by the next file that is opened."""
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    for name in closed:
        setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    if "stdout" in closed:
        raise OutputError("Standard output is closed.", "Send it to a file, or to /dev/null.")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _usage_error(error: Exception, as_json: bool) -> int | None:
    """Ends a command whose words are wrong, with its usage; None for any other error."""
    show, say = getattr(error, "show", None), getattr(error, "format_message", None)
    if show is None or say is None:
        return None
    if as_json:
        context = getattr(error, "ctx", None)
        name = context.command_path if context else "bughunt"
        return _end(BughuntError(say(), f"`{name} --help` shows how it is used."), as_json)
    show()
    return Exit.NOT_CARRIED_OUT


def _end(error: BughuntError, as_json: bool) -> int:
    from bughunt.render import show_error

    try:
        if as_json:
            from bughunt.screens.document import error_document

            output.print_json(error_document(error))
            output.show_notices()
        else:
            output.show_notices()
            lead = "" if error.code == Exit.INTERRUPTED else "bughunt: "
            show_error(f"{lead}{error.message}", error.step)
        output.finish()
    except OutputError as unwritable:
        show_error(f"bughunt: {unwritable.message}", unwritable.step)
    return error.code
