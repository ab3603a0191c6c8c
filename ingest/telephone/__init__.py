"""The telephone: one interview, whoever carries it. `interview` decides, `conductor` keeps and records, doors speak."""
