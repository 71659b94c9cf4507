"""The packages that the command line needs and the library does not."""

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
