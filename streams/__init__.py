"""Distributed wiring over Kafka (a later issue)."""
