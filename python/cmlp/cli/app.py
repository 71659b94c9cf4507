"""The command group: which commands there are, and how their errors reach the shell."""

from typing import Any

import click

import cmlp
from cmlp.cli import NEEDED, hint
from cmlp.cli.demo import demo
from cmlp.cli.info import info
from cmlp.cli.predict import predict
from cmlp.cli.train import train
from cmlp.cli.ui import CommandError, StoppedError


class Commands(click.Group):
    """A group whose commands answer trouble with one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise StoppedError("stopped; nothing was written") from error
        except ImportError as error:
            missing = next((name for name in NEEDED if name in str(error)), None)
            if missing is None:
                raise
            raise click.exceptions.Exit(_tell(hint(missing))) from error
        except BrokenPipeError:
            raise  # `cmlp predict ... | head`: click ends quietly
        except OSError as error:
            raise CommandError(" ".join(str(error).split())) from error
        except ValueError as error:
            from cmlp.tabular import TableError  # slow to import, so only now

            if not isinstance(error, TableError):
                raise
            raise CommandError(str(error)) from error


def _tell(line: str) -> int:
    click.echo(line, err=True)
    return 1


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(cmlp.__version__, prog_name="cmlp")
def app() -> None:
    r"""Train multilayer perceptrons on tables, and use them.

    \b
    cmlp demo                              see it work on handwritten digits
    cmlp train people.csv --target income  learn a column of a table
    cmlp predict model.safetensors new.csv predict that column of another table
    cmlp info model.safetensors            what is in a model file
    """


for command in (demo, train, predict, info):
    app.add_command(command)
