"""Moments in templates: `{% local row.at zone %}`, or with words of one's own, `{% local row.at zone ago %}`."""

from django import template

from backoffice import times

register = template.Library()
register.simple_tag(times.local, name="local")
