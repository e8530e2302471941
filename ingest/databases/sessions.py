"""How services are asked: one host alone, by secrets of the environment, in bounds.

Nothing that a service answers can make Fenji ask somebody else: a redirect or the link
to a next page that leaves the scheme, host and port of the settings is refused, so that
no token goes there and no host behind a firewall is reached. An answer has a largest
size. What is wrong is told without addresses, which may hold keys.

Importing this module imports dlt, once it is told to be quiet.
"""

import os
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.common import jsonpath
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.origins import PulledResource, ServiceAuth
from project.places import Place

_SECONDS = (10, 60)  # to connect, and in which nothing comes
_LARGEST = 256 * 1024 * 1024  # bytes of an answer, unpacked
_PIECE = 1024 * 1024
_REDIRECTS = 5
_AGAIN = (429, 502, 503, 504)  # busy, or being started
_PORTS = {"https": 443, "http": 80}


class Session(requests.Session):
    """Asks one service, and nobody else."""

    def __init__(self, base_url: str, place: Place, pulled: PulledResource) -> None:
        super().__init__()
        self._origin = _origin(base_url)
        self._place = place
        self._pulled = pulled
        self._left = pulled.at_most_pages
        # No passwords from ~/.netrc; a proxy of the environment is used.
        self.trust_env = False
        self.proxies.update(requests.utils.get_environ_proxies(base_url))
        self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self.max_redirects = _REDIRECTS
        again = Retry(
            total=3,
            redirect=0,
            backoff_factor=0.5,
            status_forcelist=_AGAIN,
            allowed_methods=("GET",),
            raise_on_status=False,
            raise_on_redirect=False,
        )
        for scheme in _PORTS:
            self.mount(f"{scheme}://", HTTPAdapter(max_retries=again))

    def send(
        self,
        request: requests.PreparedRequest,
        **options: Any,  # noqa: ANN401 - as in requests
    ) -> requests.Response:
        """Ask, by redirects within the service, too.

        Raises:
            RunError: it leads elsewhere, or says too much.
        """
        if _origin(str(request.url)) != self._origin:
            raise RunError(
                f"{self._place}: the service points to another address than its"
                " 'base_url'; that is not followed"
            )
        options.update(timeout=_SECONDS, stream=True)
        response = super().send(request, **options)
        if response.is_redirect or response.history:
            return response  # of a hop, or read already
        self._read(response)
        return response

    def _read(self, response: requests.Response) -> None:
        if self._left == 0:
            at_most = self._pulled.at_most_pages
            raise RunError(
                f"{self._place}: gives more than {at_most:,} pages; set"
                " 'at_most_pages', or another 'paginator' if it has no end"
            )
        self._left -= 1
        content = bytearray()
        for piece in response.iter_content(_PIECE):
            content += piece
            if len(content) > _LARGEST:
                raise RunError(
                    f"{self._place}: an answer is larger than"
                    f" {_LARGEST // 1024**2} MB; ask for smaller pages"
                )
        response._content = bytes(content)  # noqa: SLF001 - read in bounds
        # Numbers stay as they are written: 100.10 is no 100.1.
        response.json = partial(response.json, parse_float=str)  # type: ignore[method-assign]
        rows = self._pulled.rows
        if rows != "$" and not jsonpath.find_values(rows, response.json()):
            # dlt takes it for an empty list, which is an emptied table.
            raise ConfigurationError(f"an answer has nothing at '{rows}'", self._place)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        port = None
    return parts.scheme, parts.hostname, port


def identify(
    session: requests.Session, project: Project, service: str, auth: ServiceAuth
) -> None:
    """Have the session say who asks.

    Raises:
        ConfigurationError: the environment holds no secret.
    """

    def held(field: str, variable: str | None) -> str:
        value = os.environ.get(variable or "", "").strip()
        if not value:
            raise ConfigurationError(
                f"the environment variable {variable} is not set; it holds what the"
                " service knows Fenji by",
                project.place_of_setting("services", service, "auth", field),
            )
        return value

    secret = held("secret_variable", auth.secret_variable)
    if auth.type == "bearer":
        session.headers["Authorization"] = f"Bearer {secret}"
    elif auth.type == "http_basic":
        session.auth = (held("user_variable", auth.user_variable), secret)
    elif auth.location == "header":
        session.headers[str(auth.name)] = secret
    else:
        session.params = {str(auth.name): secret}
