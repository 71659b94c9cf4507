"""The `cmlp` command. `main` is what the shell calls; click, rich and pyarrow come with the extra `cli`."""

import sys
from typing import NoReturn

NEEDED = (
    "click",
    "rich",
    "pyarrow",
    "matplotlib",
    "sklearn",
    "scipy",
    "clevercsv",
    "charset_normalizer",
    "python_calamine",
)


def hint(package: str) -> str:
    """Say how to get what the command line needs and the library does not.

    Parameters
    ----------
    package : str
        The package that is missing.

    Returns
    -------
    str
        One line.
    """
    return f"cmlp: the command line needs {package}; get it with: pip install 'cmlp[cli]'"


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
