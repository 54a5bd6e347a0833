"""The words of the product as plain data: fields, alerts, quarantine (standard library only)."""
