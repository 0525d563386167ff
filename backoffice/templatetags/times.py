"""Template tag for timestamps: `{% local row.at zone %}`, or with other text, `{% local row.at zone ago %}`."""

from django import template

from backoffice import times

register = template.Library()
register.simple_tag(times.local, name="local")
