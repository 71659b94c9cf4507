"""The command group: which commands there are, and how their errors reach the shell."""

from typing import Any

import click

import cmlp
from cmlp.cli.demo import demo
from cmlp.cli.evaluate import evaluate
from cmlp.cli.explain import explain
from cmlp.cli.info import info
from cmlp.cli.needed import NEEDED, hint
from cmlp.cli.predict import predict
from cmlp.cli.report import report
from cmlp.cli.train import train
from cmlp.cli.ui import CommandError, StoppedError
from cmlp.cli.verify import verify
from cmlp.tabular.errors import TableError, printable

# The line with \b keeps click from filling the lines below it into a paragraph.
EXAMPLES = """\b
Examples:
  cmlp demo                                see it work on handwritten digits
  cmlp train people.csv --target income    train on a table to predict its column income
  cmlp predict model.safetensors new.csv   predict that column for the rows of another table
  cmlp evaluate model.safetensors test.csv compare predictions with a table that has the column
  cmlp explain model.safetensors test.csv  which columns matter, and how
  cmlp report model.safetensors test.csv   all of that as one page for the browser
  cmlp info model.safetensors              what is in a model file
  cmlp verify                              whether this machine computes the published bits

\b
`cmlp COMMAND --help` lists the options of a command.
"""


class Commands(click.Group):
    """A group whose commands end in trouble with one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise StoppedError("stopped; nothing was written") from error
        except ImportError as error:
            if _interrupted(error):
                raise StoppedError("stopped; nothing was written") from error
            missing = next((name for name in NEEDED if name in str(error)), None)
            if missing is None:
                raise
            click.echo(hint(missing), err=True)
            raise click.exceptions.Exit(1) from error
        except BrokenPipeError:
            raise  # `cmlp predict ... | head`: click ends quietly
        except OSError as error:
            raise CommandError(" ".join(str(error).split())) from error
        except UnicodeEncodeError as error:
            raise CommandError(f"{printable(error.object)!r} is no valid text") from error
        except TableError as error:
            raise CommandError(str(error)) from error


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: extension modules turn it into an ImportError of their own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    epilog=EXAMPLES,
)
@click.version_option(cmlp.__version__, prog_name="cmlp")
def app() -> None:
    """Train multilayer perceptrons on tables, and use them."""


for command in (demo, train, predict, evaluate, explain, report, info, verify):
    app.add_command(command)
