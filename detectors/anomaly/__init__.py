"""Anomalies of payments: behaviour against its own past and its peers', models, their reasons."""
