"""A search with optuna that ends hopeless trials early; needs `pip install optuna 'cmlp[sklearn]'`."""

import warnings

import optuna
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from cmlp import MLPClassifier

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16, y, random_state=0)


def objective(trial: optuna.Trial) -> float:
    def report(values):
        trial.report(values["val_score"], values["epoch"])
        return not trial.should_prune()  # False ends the training

    model = MLPClassifier(
        hidden_layer_sizes=[trial.suggest_int("units", 8, 128, log=True)] * trial.suggest_int("layers", 1, 3),
        activation=trial.suggest_categorical("activation", ["relu", "tanh", "silu"]),
        learning_rate_init=trial.suggest_float("rate", 1e-4, 1e-1, log=True),
        alpha=trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
        dropout=trial.suggest_float("dropout", 0.0, 0.5),
        max_iter=30,
        callbacks=[report],
        random_state=0,
    )
    model.fit(x_train, y_train, eval_set=(x_test, y_test))
    if trial.should_prune():
        raise optuna.TrialPruned
    return max(model.validation_scores_)


warnings.simplefilter("ignore", ConvergenceWarning)
optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
study.optimize(objective, n_trials=40)
pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
print(
    f"best accuracy {study.best_value:.4f} with {study.best_params}; {pruned} of 40 trials were ended early"
)
