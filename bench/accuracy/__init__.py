"""Accuracy of the tabular estimators beside other packages: python -m bench.accuracy --help."""
