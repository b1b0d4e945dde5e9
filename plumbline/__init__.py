"""The program `plumbline`: baseline, monitor, report, traffic, demo."""
