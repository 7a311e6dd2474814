"""The embedded stack: the services as local processes under supervisord."""
