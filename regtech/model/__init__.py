"""The words of the product as plain data: fields, money, alerts, quarantine (standard library only)."""
