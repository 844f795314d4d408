#!/usr/bin/env python
"""Run administrative commands, as acts of whoever runs them."""

import os
import sys

from django.core.management import execute_from_command_line

from config.base import command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.base.settings")
    with command_line.acting(sys.argv):
        execute_from_command_line(sys.argv)
