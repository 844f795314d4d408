"""Filters of the console's templates."""

from django import template

from config.base.admin import formats
from config.base.names import name_of

register = template.Library()

register.filter("points", formats.points)
register.filter("signed", formats.signed)
register.filter("money", formats.money)
register.filter("card", formats.card)
register.filter("name_of", name_of)
register.filter("deducted", formats.deducted)
