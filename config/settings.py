"""All settings, for every environment: values that differ come from typed environment variables.

`.chargetree/local.env`, where it exists, fills in variables that the environment does not set; `make run` writes it.
docs/configuration.md describes each variable.
"""

import ipaddress
import re
import tomllib
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / ".chargetree"

env = environ.Env()
if (STATE_DIR / "local.env").exists():
    env.read_env(STATE_DIR / "local.env")

ENVIRONMENTS = ("production", "demo", "test")
ENVIRONMENT = env.str("CHARGETREE_ENVIRONMENT", "production")
if ENVIRONMENT not in ENVIRONMENTS:
    raise ImproperlyConfigured(
        f"CHARGETREE_ENVIRONMENT is {ENVIRONMENT!r}; it must be one of {', '.join(ENVIRONMENTS)}."
    )
IS_PRODUCTION = ENVIRONMENT == "production"


def _secret(name: str) -> str:
    """A secret of at least 50 characters from the environment, or a message that says how to get one."""
    value = env.str(name, "")
    if len(value) < 50:
        raise ImproperlyConfigured(
            f"{name} is {'too short' if value else 'not set'}: give at least 50 random characters, for example from "
            "`python -c 'import secrets; print(secrets.token_urlsafe(48))'`. `make run` makes one for the demo."
        )
    return value


def _whole_number(name: str, default: int, least: int = 0) -> int:
    try:
        value = env.int(name, default)
    except ValueError:
        value = least - 1
    if value < least:
        raise ImproperlyConfigured(f"{name} is {env.str(name)!r}; it must be a whole number from {least}.")
    return value


def _switch(name: str, default: bool) -> bool:
    value = env.str(name, "true" if default else "false").lower()
    if value not in ("true", "false"):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be true or false.")
    return value == "true"


def _networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(text.strip()) for text in env.list(name, default=[])]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} is {env.str(name)!r}; it must be networks as in 10.2.0.0/16,fd00::/8 ({error})."
        ) from None


def _origins(name: str) -> list[str]:
    origins: list[str] = [text.strip() for text in env.list(name, default=[])]
    for origin in origins:
        if not re.fullmatch(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?", origin):
            raise ImproperlyConfigured(
                f"{name} names {origin!r}; it must be origins as browsers send them, as in https://app.example.org, in "
                "lower case, without a path or a slash at the end."
            )
    return origins


_MAIL_URL = re.compile(r"(?P<kind>smtp|smtp\+tls|smtp\+ssl)://([^/?#\s]+@)?[^/?#@:\s]+(:[0-9]{1,5})?|consolemail://")
_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def _mail_server(name: str) -> dict[str, str | int | bool]:
    """Django's settings for a mail server, from its address; without one, mail goes nowhere."""
    url = env.str(name, "")
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    match = _MAIL_URL.fullmatch(url)
    try:
        found: dict[str, str | int | bool] = env.email_url_config(url) if match else {}
    except ValueError:
        found = {}
    if not match or not found:
        # Without its value, which holds a password.
        raise ImproperlyConfigured(
            f"{name} is wrong: it must be as in smtp+tls://user:password@mail.example.org:587, where the beginning may "
            "be smtp:// and smtp+ssl:// too and signs such as @ in the password are written as in %40; or "
            "consolemail://, which prints mail instead of sending it."
        )
    port = found.get("EMAIL_PORT") or _MAIL_PORTS.get(match["kind"], 25)
    return {key: value for key, value in found.items() if value is not None} | {"EMAIL_PORT": port}


def _sender(name: str) -> str:
    """Who mail comes from, as in Chargetree <charge@example.org>."""
    sender: str = env.str(name, "")
    if not re.fullmatch(r"([^<>\r\n]+ <)?[^\s<>@]+@[^\s<>@]+>?", sender) or ("<" in sender) != sender.endswith(">"):
        raise ImproperlyConfigured(
            f"{name} is {sender!r}; with EMAIL_URL it must say who mail comes from, as in "
            "Chargetree <charge@example.org>."
        )
    return sender


def _public_url(name: str, is_needed: bool) -> str:
    """How this server is called from outside."""
    urls = _origins(name)
    if len(urls) > 1 or (is_needed and not urls):
        raise ImproperlyConfigured(
            f"{name} is {env.str(name, '')!r}; with EMAIL_URL it must be the one address of this server, to which "
            "links in mail lead, as in https://charge.example.org."
        )
    return urls[0] if urls else ""


def _tile_url(name: str) -> str:
    url: str = env.str(name, "")
    has_all = url.startswith(("https://", "http://", "/")) and all(part in url for part in ("{z}", "{x}", "{y}"))
    if url and not has_all:
        raise ImproperlyConfigured(
            f"{name} is {url!r}; it must be the address of map tiles with {{z}}, {{x}} and {{y}} in it, as in "
            "https://tiles.example.org/{z}/{x}/{y}.png."
        )
    return url


def _build_id(name: str) -> str:
    """What tells one build of the product from another: as told, or the version with the commit that is checked out."""
    told: str = env.str(name, "")
    if told:
        return told
    version: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    head = BASE_DIR / ".git" / "HEAD"
    commit = head.read_text().strip() if head.is_file() else ""
    if commit.startswith("ref: "):
        ref = head.parent / commit.removeprefix("ref: ")
        commit = ref.read_text().strip() if ref.is_file() else ""
    return f"{version}+{commit}" if commit else version


SECRET_KEY = _secret("SECRET_KEY")
API_KEY_PEPPER = _secret("API_KEY_PEPPER")
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "config.apps.ChargetreeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "mptt",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "bulk",
    "backoffice",
    "hierarchy",
    "chargers",
    "drivers",
    "operators",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "config.security_headers.SecurityHeadersMiddleware",
    "api.cross_origin.CrossOriginMiddleware",
    "api.compression.CompressionMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.error_pages.ProblemMiddleware",
]
CSRF_FAILURE_VIEW = "config.error_pages.csrf_failure"

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# One writer at a time is SQLite's nature. IMMEDIATE takes the write lock when a transaction begins, so that nobody
# holds it half way; WAL lets readers go on meanwhile.
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;",
}

DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{STATE_DIR / 'chargetree.sqlite3'}")
if not DATABASE_URL.startswith(("sqlite://", "postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgres://.")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = _SQLITE_OPTIONS
else:
    DATABASES["default"]["CONN_MAX_AGE"] = _whole_number("DATABASE_CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "operators.Operator"
# The e-mail address is unique by its comparison key, which the check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.E003"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# How often signing in with an address may fail before it is locked, and for how long.
SIGN_IN_FAILURES = _whole_number("SIGN_IN_FAILURES", 10, least=1)
SIGN_IN_LOCK_MINUTES = _whole_number("SIGN_IN_LOCK_MINUTES", 15, least=1)
# From these, and only these, X-Forwarded-For is believed.
TRUSTED_PROXIES = _networks("TRUSTED_PROXIES")
PASSWORD_RESET_TIMEOUT = _whole_number("PASSWORD_LINK_HOURS", 72, least=1) * 3600

# Mail. A link in it leads to this server as the settings call it, never as a request does.
HAS_MAIL = bool(env.str("EMAIL_URL", ""))
PUBLIC_URL = _public_url("PUBLIC_URL", is_needed=HAS_MAIL)
globals().update(_mail_server("EMAIL_URL"))
EMAIL_TIMEOUT = 10
if HAS_MAIL:
    DEFAULT_FROM_EMAIL = _sender("DEFAULT_FROM_EMAIL")

LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static" if IS_PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
# Production serves the hashed files that `collectstatic` wrote; the demo and the tests serve them from their sources.
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = _whole_number("SESSION_HOURS", 12, least=1) * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if IS_PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = _switch("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = _whole_number("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if _switch("BEHIND_TLS_PROXY", False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "operators.authentication.ApiKeyAuthentication",
        "operators.authentication.AdminSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.RequestRate"],
    "DEFAULT_RENDERER_CLASSES": ["api.negotiation.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.negotiation.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.negotiation.ContentNegotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Chargetree",
    "DESCRIPTION": "Sites, chargers, drivers and operators of a charging network. Send the key as `X-API-Key`.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "POSTPROCESSING_HOOKS": ["api.schema.complete"],
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    # What changes an object has a schema of its own, in which nothing is required.
    "COMPONENT_SPLIT_PATCH": False,
}

# Goes into the ETags of nested answers: another build may render the same rows differently.
BUILD_ID = _build_id("CHARGETREE_BUILD")
# Of one key and in each process. The demo has no limit.
API_REQUESTS_PER_MINUTE = _whole_number("API_REQUESTS_PER_MINUTE", 6000 if IS_PRODUCTION else 0)
# Pages of other origins from which browsers may call the API.
CORS_ALLOWED_ORIGINS = _origins("CORS_ALLOWED_ORIGINS")

# For every kind of file, and before it is unpacked.
IMPORT_MAX_MEGABYTES = _whole_number("IMPORT_MAX_MEGABYTES", 100, least=1)

# Webhooks are delivered to public addresses with TLS, and to these with or without.
WEBHOOK_PRIVATE_NETWORKS = _networks("WEBHOOK_PRIVATE_NETWORKS")

# Without an address the map has no background, and browsers ask no other server for anything.
MAP_TILE_URL = _tile_url("MAP_TILE_URL")
MAP_TILE_ATTRIBUTION = env.str("MAP_TILE_ATTRIBUTION", "")

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
if LOG_LEVEL not in LOG_LEVELS:
    raise ImproperlyConfigured(f"LOG_LEVEL is {LOG_LEVEL!r}; it must be one of {', '.join(LOG_LEVELS)}.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "config.middleware.RequestIdFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        # A wrong filter in an address is answered with 400, and is not worth a traceback.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.DisallowedModelAdminLookup": {"level": "CRITICAL"},
        "django.security.DisallowedModelAdminToField": {"level": "CRITICAL"},
    },
}
