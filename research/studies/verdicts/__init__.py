"""Power and false alarms of every verdict of a run, where the truth is known and rows come as they do in use."""
