"""A pytest plugin: cmlp's estimators in the place of scikit-learn's, for scikit-learn's own tests."""

import sklearn.neural_network

import cmlp

sklearn.neural_network.MLPClassifier = cmlp.MLPClassifier
sklearn.neural_network.MLPRegressor = cmlp.MLPRegressor


def pytest_report_header(config: object) -> str:
    classes = sklearn.neural_network.MLPClassifier, sklearn.neural_network.MLPRegressor
    return f"scikit-learn's tests of {', '.join(each.__module__ for each in classes)}"
