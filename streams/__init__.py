"""Distributed wiring over Kafka: not there yet, see docs/roadmap.md."""
