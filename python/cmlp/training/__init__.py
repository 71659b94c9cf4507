"""Training and prediction: the fit and its data, metrics, schedules, history; evaluate, predict, summary."""
