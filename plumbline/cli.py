"""The program `plumbline`: arguments, exit codes, standard error. What a command does is in `plumbline.commands`."""

import argparse
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import NoReturn

from plumbline.commands import COMMANDS
from plumbline.exit_codes import EXIT_INTERRUPTED, EXIT_OPERATOR, EXIT_OURS, CommandError

_HELP_WIDTH = 100
_EPILOG = (
    "exit codes: 0 finished; 1 finished with a negative outcome: drift (monitor --fail-on-violation), unanswered "
    "requests (traffic), rejected rows (labels), an account that lacks something (check --aws), no run (retrain), a "
    "failure (promote and rollback with --wait); 2 an error that you can correct; 3 a fault of plumbline; 130 "
    "interrupted with Ctrl-C"
)
_PAGE_HEAD = """# Command line

Every command and option, as `--help` prints them. `make docs` writes this page from the program's own parsers. Exit
codes: [troubleshooting](troubleshooting.md#exit-codes).
"""


class _Formatter(argparse.HelpFormatter):
    """One width whatever the terminal's, so that docs/cli.md shows the help word for word."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=_HELP_WIDTH)


class _Parser(argparse.ArgumentParser):
    """Prints a wrong argument in one line, as every other mistake."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_OPERATOR, f"{self.prog}: error: {message}; see {self.prog} --help\n")


class _Version(argparse.Action):
    """Reads the version only when the option is given."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"plumbline {version('plumbline')}")
        parser.exit()


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the program's parser and those of its commands; no command's own code is loaded."""
    program = _Parser(
        prog="plumbline",
        description="Drift monitoring for SageMaker endpoints: what the container runs, on plain files, and a demo of "
        "the whole loop.",
        epilog=_EPILOG,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    program.add_argument(
        "--version", action=_Version, nargs=0, default=argparse.SUPPRESS, help="print the version and exit"
    )
    commands = program.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    parsers: dict[str, argparse.ArgumentParser] = {}
    for name, command in COMMANDS.items():
        parsers[name] = commands.add_parser(
            name,
            help=command.summary,
            description=command.description,
            formatter_class=_Formatter,
            allow_abbrev=False,
        )
        command.add_arguments(parsers[name])
    return program, parsers


def help_texts() -> Iterator[tuple[str, str]]:
    """Yield each help command and the text that it prints, the program's own first."""
    program, parsers = _parsers()
    yield "plumbline --help", program.format_help()
    for name, parser in parsers.items():
        yield f"plumbline {name} --help", parser.format_help()


def help_page() -> str:
    """Return the text of docs/cli.md. `make docs` writes the page, and a test compares it."""
    return _PAGE_HEAD + "".join(f"\n## {command}\n\n```text\n{text}```\n" for command, text in help_texts())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Parameters
    ----------
    arguments
        Those after the program's name; None takes the process's own.
    """
    program, _ = _parsers()
    chosen = program.parse_args(arguments)
    try:
        return COMMANDS[chosen.command].run(chosen)
    except KeyboardInterrupt:
        print("plumbline: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except CommandError as error:
        return _fail(chosen.command, str(error))
    except OSError as error:
        return _fail(chosen.command, f"{error}; check the path, its permissions and the space left")
    except Exception:
        traceback.print_exc()
        print(f"plumbline {chosen.command}: internal error: please report the lines above", file=sys.stderr)
        return EXIT_OURS


def _fail(command: str, text: str) -> int:
    print(f"plumbline {command}: error: {' '.join(text.split())}", file=sys.stderr)
    return EXIT_OPERATOR


if __name__ == "__main__":
    sys.exit(main())
