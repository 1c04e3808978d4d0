import os

from django.core.wsgi import get_wsgi_application

from marketplace.encodings import told_encodings
from marketplace.whole_bodies import whole_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
application = told_encodings(whole_bodies(get_wsgi_application()))
