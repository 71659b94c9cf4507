"""The `cmlp` command. `main` is what the shell calls; click, rich and pyarrow come with the extra `cli`."""

import sys
from typing import NoReturn

from cmlp.cli.needed import NEEDED, hint


def main() -> NoReturn:
    """Run the command line with the arguments of the process.

    Raises
    ------
    SystemExit
        Always. The exit code: 0 done, 1 the data or a file cannot be used, 2 the command was not understood,
        130 Ctrl-C.
    """
    try:
        from cmlp.cli.app import app
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in NEEDED:
            raise
        sys.exit(hint(package))
    app.main(prog_name="cmlp", standalone_mode=True)
