"""All settings. The environment is read here and nowhere else; `.env.example` lists every variable."""

from datetime import timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from marketplace.databases import PERSISTENT, PREPARE_AFTER, connecting, replica

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY to a long random text (python3 run.py makes one for you).")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_NAME = env.str("SITE_NAME", default="Milepost")
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{env.int('PORT', default=8000)}")
HTTPS = SITE_URL.startswith("https://")

# Applications, from the top storey to the ground.
INSTALLED_APPS = [
    "marketplace",
    "marketplace.reviews",
    "resolution",
    "orders",
    "payments",
    "marketplace.catalog",
    "marketplace.notifications",
    "marketplace.accounts",
    "marketplace.accounts.apps.BackOfficeConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "django.forms",
    "django_fsm",
    "django_htmx",  # for its htmx 2 alone
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "marketplace.headers.headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "marketplace.encodings.utf8_only",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "marketplace.accounts.devices.lifetimes",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "marketplace.middleware.CasesFirst",
    "marketplace.middleware.viewer",
]

ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"

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
                "marketplace.context.site",
                "marketplace.notifications.context.unread_notices",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

NOTICES_WORDED_BY = "orders.notice_words.words_of"

# PostgreSQL and Redis.
DATABASE_POOLER = env.str("DATABASE_POOLER", default="")
if DATABASE_POOLER not in ("", "pgbouncer"):
    raise ImproperlyConfigured(f"DATABASE_POOLER is {DATABASE_POOLER!r}; leave it empty or choose: pgbouncer.")
DATABASE_POOL = env.int("DATABASE_POOL", default=0)
CONNECTING = {
    "pool": DATABASE_POOL,
    "max_age": env.int("DATABASE_MAX_AGE", default=0 if DATABASE_POOL else PERSISTENT),
    "pgbouncer": DATABASE_POOLER == "pgbouncer",
    # PgBouncer can keep prepared statements since 1.21, if it is told to; so it is asked for by name.
    "prepare": env.int("DATABASE_PREPARE", default=0 if DATABASE_POOLER else PREPARE_AFTER),
}
DATABASES = {"default": connecting(env.db("DATABASE_URL", engine="django.db.backends.postgresql"), **CONNECTING)}
# A copy of it that streams, for what strangers read: `marketplace.replica`.
DATABASE_ROUTERS: list[str] = []
if env.str("REPLICA_URL", default=""):
    DATABASES["replica"] = replica(env.db("REPLICA_URL", engine="django.db.backends.postgresql"), **CONNECTING)
    DATABASE_ROUTERS.append("marketplace.replica.ReplicaRouter")
    MIDDLEWARE.append("marketplace.replica.PublicPagesFromReplica")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "marketplace.accounts.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL.replace("redis+socket://", "unix://"),
        # Seconds. One that takes connections and says nothing would hold up every sign-in for as long as it likes.
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
}

# People.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "marketplace.accounts.common_passwords.CommonAtHeartValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "marketplace.accounts.site_words.SiteWordsValidator"},
]
# Asks whether a password is known from a breach by the first five digits of its hash. Empty: nobody is asked.
BREACHED_PASSWORDS_URL = env.str("BREACHED_PASSWORDS_URL", default="")
if BREACHED_PASSWORDS_URL:
    AUTH_PASSWORD_VALIDATORS.append({"NAME": "marketplace.accounts.breached.BreachedPasswordValidator"})
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/orders/"
LOGOUT_REDIRECT_URL = "/"

# Mail. Without EMAIL_URL the messages are written to var/mail, where a newcomer can read them.
EMAIL_CONFIGURED = bool(env.str("EMAIL_URL", default=""))
if EMAIL_CONFIGURED:
    vars().update(env.email("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <no-reply@localhost>")

ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "marketplace.accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "marketplace.accounts.forms.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_CONFIGURED else "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
# Before addresses, second factors or where money goes change, and before data are handed out or an account is closed,
# people prove once more who they are, unless they did so within this many seconds (`marketplace.accounts.proving`).
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a changed password, address or second factor is told to the person
# How many searches a minute one address may make without signing in; 0 for any number.
SEARCHES_PER_MINUTE = env.int("SEARCHES_PER_MINUTE", default=300)

# The second factor, which staff must have: `marketplace.accounts.back_office`.
MFA_ADAPTER = "marketplace.accounts.second_factor.MFAAdapter"
MFA_FORMS = {
    "authenticate": "marketplace.accounts.codes.SignInForm",
    "reauthenticate": "marketplace.accounts.codes.ProofForm",
    "activate_totp": "marketplace.accounts.codes.SetUpForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME

# Payments. `sandbox` is the embedded provider with documented test cards; no real money moves.
PAYMENT_GATEWAY = env.str("PAYMENT_GATEWAY", default="sandbox")
PAYMENT_GATEWAYS = ("sandbox", "stripe")
if PAYMENT_GATEWAY not in PAYMENT_GATEWAYS:
    known = ", ".join(PAYMENT_GATEWAYS)
    raise ImproperlyConfigured(f"PAYMENT_GATEWAY is {PAYMENT_GATEWAY!r}; choose one of: {known}.")
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_PUBLISHABLE_KEY = env.str("STRIPE_PUBLISHABLE_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com")
STRIPE_JS_URL = env.str("STRIPE_JS_URL", default="https://js.stripe.com/v3/")
STRIPE_TIMEOUT = 20  # seconds that an answer may take
if PAYMENT_GATEWAY == "stripe":
    keys = ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET")
    if missing := ", ".join(key for key in keys if not globals()[key]):
        raise ImproperlyConfigured(f"PAYMENT_GATEWAY is stripe, which needs what is not set: {missing}.")
SANDBOX_WEBHOOK_SECRET = env.str("SANDBOX_WEBHOOK_SECRET", default=SECRET_KEY)
SANDBOX_DISPUTED = env.int("SANDBOX_DISPUTED", default=120)  # seconds until the "disputed" test card is taken back
SANDBOX_PROCESSING = env.int("SANDBOX_PROCESSING", default=20)  # seconds that a "processing" test card takes
EVENT_RECEIVER = "marketplace.webhooks.receive"  # takes (raw_body, signature) of an event; accepts by not raising

# Who issues receipts and credit notes. Lines of the address are separated by "|".
OPERATOR_NAME = env.str("OPERATOR_NAME", default=SITE_NAME)
OPERATOR_ADDRESS = env.str("OPERATOR_ADDRESS", default="").replace("|", "\n")
OPERATOR_TAX_ID = env.str("OPERATOR_TAX_ID", default="")

# The clock: Celery beat looks every few seconds for what is due in PostgreSQL.
SWEEP_EVERY = timedelta(seconds=env.float("SWEEP_SECONDS", default=15))
CELERY_BROKER_URL = REDIS_URL
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # its lines are written as all others are
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A dead Redis is met at once and never holds up a person's request; the sweeps do later what was not asked for.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "heartbeat": {"task": "marketplace.tasks.heartbeat", "schedule": SWEEP_EVERY},
    "settle due orders": {"task": "orders.tasks.settle_due", "schedule": SWEEP_EVERY},
    "settle charges": {"task": "orders.tasks.settle_charges", "schedule": SWEEP_EVERY},
    "tell refused refunds": {"task": "orders.tasks.tell_refused_refunds", "schedule": timedelta(seconds=60)},
    "send reminders": {"task": "orders.tasks.send_reminders", "schedule": timedelta(seconds=60)},
    "send unsent notices": {"task": "marketplace.notifications.tasks.send_unsent", "schedule": SWEEP_EVERY},
    "send digests": {"task": "marketplace.notifications.tasks.send_digests", "schedule": timedelta(seconds=60)},
    "forget unused covers": {
        "task": "marketplace.catalog.tasks.forget_unused_covers",
        "schedule": timedelta(hours=12),
    },
    "draw owed previews": {"task": "orders.tasks.draw_owed_previews", "schedule": timedelta(seconds=60)},
    "forget ended sessions": {
        "task": "marketplace.tasks.forget_ended_sessions",
        "schedule": crontab(hour="4", minute="40"),
    },
    "forget lost files": {"task": "orders.tasks.forget_lost_files", "schedule": crontab(hour="4", minute="10")},
    "prove the ledger": {"task": "marketplace.tasks.prove_ledger", "schedule": crontab(hour="3", minute="30")},
    "publish due reviews": {
        "task": "marketplace.reviews.tasks.publish_due_reviews",
        "schedule": timedelta(seconds=60),
    },
    "settle due cases": {"task": "resolution.tasks.settle_due_cases", "schedule": SWEEP_EVERY},
    "open owed disputes": {"task": "resolution.tasks.open_owed_disputes", "schedule": timedelta(seconds=60)},
    "tell decided rests": {"task": "resolution.tasks.tell_decided_rests", "schedule": timedelta(seconds=60)},
    "alarm late support": {"task": "resolution.tasks.alarm_late_support", "schedule": timedelta(days=1)},
    "issue documents": {"task": "payments.tasks.issue_documents", "schedule": SWEEP_EVERY},
    "settle refunds": {"task": "payments.tasks.settle_refunds", "schedule": SWEEP_EVERY},
    "clear earnings": {"task": "payments.tasks.clear_earnings", "schedule": SWEEP_EVERY},
    "tell finance": {"task": "marketplace.tasks.tell_finance", "schedule": timedelta(seconds=60)},
    "tell withdrawals": {"task": "marketplace.tasks.tell_withdrawals", "schedule": SWEEP_EVERY},
    "replay early events": {"task": "marketplace.tasks.replay_early_events", "schedule": timedelta(seconds=60)},
    "settle withdrawals": {"task": "payments.tasks.settle_withdrawals", "schedule": SWEEP_EVERY},
    "deliver sandbox events": {"task": "payments.tasks.deliver_sandbox_events", "schedule": timedelta(seconds=5)},
}

# Files.
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(VAR_DIR / "files"))()
# Where uploads are kept: `local`, below MEDIA_ROOT, or `s3`, in a private bucket. See docs/files.md.
FILE_STORAGE = env.str("FILE_STORAGE", default="local")
if FILE_STORAGE not in ("local", "s3"):
    raise ImproperlyConfigured(f"FILE_STORAGE is {FILE_STORAGE!r}; choose one of: local, s3.")
S3_OPTIONS = {
    "bucket_name": env.str("S3_BUCKET", default=""),
    "endpoint_url": env.str("S3_ENDPOINT", default="") or None,
    "region_name": env.str("S3_REGION", default="") or None,
    "access_key": env.str("S3_ACCESS_KEY", default="") or None,
    "secret_key": env.str("S3_SECRET_KEY", default="") or None,
}
if FILE_STORAGE == "s3" and not S3_OPTIONS["bucket_name"]:
    raise ImproperlyConfigured("FILE_STORAGE is s3, which needs what is not set: S3_BUCKET.")
STORAGES = {
    "default": {"BACKEND": "marketplace.object_storage.ObjectStorage", "OPTIONS": S3_OPTIONS}
    if FILE_STORAGE == "s3"
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG  # else each start, and each client of a test, first looks at all of them
UPLOAD_MAX_BYTES = 25 * 1024 * 1024
UPLOAD_MAX_FILES = 10
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# Security. Everything comes from our own origin; no inline style or script, no exceptions.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Attempts are counted by address: of the person, which the proxy appends, not of the proxy, which all share.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
# Over HTTPS no other host of the domain can set a cookie of ours: browsers see to it by the prefix.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}django_language"
MESSAGE_STORAGE = "marketplace.accounts.flash.Flash"
SESSION_COOKIE_SECURE = HTTPS
SESSION_ENGINE = "marketplace.accounts.sessions"
# Since somebody signed in, whatever they do meanwhile; and since they were last seen, which is noted now and then.
SESSION_AT_MOST, SESSION_OF_STAFF, SESSION_UNUSED = timedelta(days=30), timedelta(hours=12), timedelta(days=14)
SESSION_NOTED_EVERY = timedelta(hours=1)
SESSION_COOKIE_AGE = int(SESSION_AT_MOST.total_seconds())
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True  # forms carry the token, and scripts read it there

# Language and time. Times are stored in UTC and shown in the viewer's zone; docs/languages.md.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]  # each in its own words, as the chooser shows it
LOCALE_PATHS = [BASE_DIR / "marketplace" / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "marketplace.logs.Discreet", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        **{name: {"level": "INFO"} for name in ("marketplace", "orders", "payments", "resolution")},
        # Which would write in a way of its own, with addresses of visitors.
        "gunicorn.error": {"handlers": ["stderr"], "propagate": False},
    },
}
