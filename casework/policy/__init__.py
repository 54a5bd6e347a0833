"""Policies: how alerts become cases. Content and alerts in, directives out; nothing is written.

``load`` reads the policy files, ``facts`` gives alerts their typed form, ``planner`` decides, and
``reconcile`` says what changes in the cases that are there.
"""
