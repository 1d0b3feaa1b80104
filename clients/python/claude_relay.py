"""claude-relay's Python client in one file: copy it into your project, it needs nothing but Python 3.9.

    from claude_relay import complete, stream, fetch_page, models

    print(complete("Name 3 primary colors."))
    colors = complete("3 primary colors", system="Output only JSON.", output_format="json")
    for piece in stream("Tell me a story."):
        print(piece, end="", flush=True)

The functions read CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY at each call; Client takes them as arguments.
Every call raises a RelayError when it fails. Neither an error nor a client's repr shows the key.
"""

from __future__ import annotations

import codecs
import email.utils
import http.client
import io
import ipaddress
import json
import os
import random
import re
import socket
import ssl
import sys
import time
import urllib.parse
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Callable, Dict, Generator, Iterator, List, Mapping, NamedTuple, Optional
from typing import Literal, NoReturn, Tuple, Type, overload

__all__ = [
    "ApiError", "AuthenticationError", "BillingError", "Client", "CompletionStream", "FinalAnswer",
    "InvalidRequestError", "Model", "NotFoundError", "OverloadedError", "Page",
    "PermissionDeniedError", "RateLimitError", "RelayConfigurationError", "RelayConnectionError",
    "RelayError", "RelayTimeoutError", "RequestTooLargeError", "UnexpectedAnswerError", "Usage",
    "complete", "fetch_page", "models", "stream",
]  # fmt: skip


class RelayError(Exception):
    """A call that failed: one subclass for each of Anthropic's error types, and the client's own."""

    def __init__(
        self,
        message: str,
        type: str,
        status: Optional[int] = None,
        request_id: Optional[str] = None,
        retry_after_seconds: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        #: Anthropic's error type (``rate_limit_error``, ...), or one of the client's own.
        self.type = type
        #: The HTTP status; without one no answer came.
        self.status = status
        #: To be named when asking the relay's operator.
        self.request_id = request_id
        #: After how many seconds the relay would like to be asked again.
        self.retry_after_seconds = retry_after_seconds

    def __reduce__(self) -> Tuple[Any, ...]:
        # Exceptions travel between processes; the default would lose the type.
        return (_rebuilt, (self.__class__, dict(self.__dict__)))


class InvalidRequestError(RelayError):
    """400: the request cannot be served as it is; the message says why."""


class AuthenticationError(RelayError):
    """401: no key, a wrong one, or a revoked one."""


class BillingError(RelayError):
    """The money is used up."""


class PermissionDeniedError(RelayError):
    """403: the key may not do this."""


class NotFoundError(RelayError):
    """404: no such thing at this address."""


class RequestTooLargeError(RelayError):
    """413: the input is larger than the relay takes."""


class RateLimitError(RelayError):
    """429: too often, or too much at once; see ``retry_after_seconds``."""


class ApiError(RelayError):
    """500, 502, 503: the relay or what it asks failed."""


class OverloadedError(RelayError):
    """The model's servers are overloaded."""


class RelayTimeoutError(RelayError):
    """504, or the client's own time ran out (then without a status)."""


class RelayConnectionError(RelayError):
    """No connection to the relay, or one that broke before the answer was whole."""


class UnexpectedAnswerError(RelayError):
    """The address answered, but not as a relay does: a proxy's page, a redirect, garbage."""


class RelayConfigurationError(RelayError):
    """The client cannot be used like this: no URL or no key."""


@dataclass(frozen=True)
class Usage:
    """Tokens, in Anthropic's words."""

    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int
    cache_creation_input_tokens: int


@dataclass(frozen=True)
class FinalAnswer:
    """A whole answer that came as a stream."""

    text: str
    usage: Usage
    stop_reason: Optional[str]
    #: As asked for.
    model: str
    #: The full id it stands for.
    model_id: str
    request_id: str
    duration_ms: int
    #: The answer's JSON value, with ``output_format="json"`` or ``json_schema``.
    result: Any = None


@dataclass(frozen=True)
class Page:
    """A web page as the relay's host sees it."""

    #: The page's own status, which may be an error.
    status: int
    #: Where redirects led to.
    final_url: str
    content_type: Optional[str]
    #: There was more than ``max_bytes``.
    truncated: bool
    #: The page in the wanted format.
    html: str
    request_id: str


@dataclass(frozen=True)
class Model:
    id: str
    display_name: str


class CompletionStream(Iterator[str]):
    """An answer while it is written: loop over it for its pieces, then ``final()`` for what they took.

    The request is sent when the first piece is asked for. ``close()``, or leaving a ``with`` block, ends
    it, so that nothing more is paid for; so does dropping the last reference to it.
    """

    def __init__(self, pieces: Generator[str, None, FinalAnswer]) -> None:
        self._pieces = pieces
        self._final: Optional[FinalAnswer] = None
        self._error: Optional[BaseException] = None

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            if end.value is not None:
                self._final = end.value
            raise StopIteration from None
        except BaseException as error:
            self._error = error
            raise

    def final(self) -> FinalAnswer:
        """Reads what is left and gives the whole answer. Raises what the stream raised."""
        if self._error is not None:
            raise self._error
        for _ in self:
            pass
        if self._final is None:
            raise RelayError("The stream was left before its end.", "stream_left")
        return self._final

    def close(self) -> None:
        """Ends the request, if it still runs."""
        self._pieces.close()

    def __enter__(self) -> CompletionStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Client:
    """A client for one relay; safe to share between threads.

    url: the relay's address, without ``/v1``. key: an app key (``crk_...``).
    timeout: the longest a whole call may take in seconds, retries included; a stream: until it begins.
    idle_timeout: the longest silence inside a stream (the relay sends a sign of life every 15 s).
    max_retries: how often a failed call is repeated; 0 never repeats.
    retry_maybe_billed: also repeat a completion that may have been paid for already: after 500, 502 or
    504, or a connection that broke after the prompt was sent.

    TLS certificates are verified. HTTPS_PROXY, HTTP_PROXY and NO_PROXY count, except for loopback.
    Raises RelayConfigurationError when the settings cannot be used.
    """

    def __init__(
        self,
        url: str,
        key: str,
        timeout: float = 300.0,
        max_retries: int = 2,
        *,
        idle_timeout: float = 90.0,
        retry_maybe_billed: bool = False,
    ) -> None:
        self._address = _address_of(url, "url")
        self._key = _key_of(key, "key")
        self._timeout = _seconds("timeout", timeout)
        self._idle_timeout = _seconds("idle_timeout", idle_timeout)
        if not isinstance(max_retries, int) or max_retries < 0:
            raise _misconfigured("max_retries must be a whole number, 0 or more.")
        self._max_retries = max_retries
        self._retry_maybe_billed = retry_maybe_billed

    def __repr__(self) -> str:
        return f"<claude_relay.Client of {self._address.origin}>"

    @overload
    def complete(
        self, prompt: str, system: Optional[str] = ..., model: Optional[str] = ...,
        output_format: Literal["text"] = ..., *, max_tokens: Optional[int] = ...,
        json_schema: None = ..., timeout: Optional[float] = ...,
    ) -> str: ...  # fmt: skip

    @overload
    def complete(
        self, prompt: str, system: Optional[str] = ..., model: Optional[str] = ...,
        output_format: str = ..., *, max_tokens: Optional[int] = ...,
        json_schema: Optional[Mapping[str, Any]] = ..., timeout: Optional[float] = ...,
    ) -> Any: ...  # fmt: skip

    def complete(
        self,
        prompt: str,
        system: Optional[str] = None,
        model: Optional[str] = None,
        output_format: str = "text",
        *,
        max_tokens: Optional[int] = None,
        json_schema: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
    ) -> Any:
        """The text; with ``output_format="json"`` or ``json_schema`` the answer's JSON value.

        model: ``opus`` (the default), ``sonnet``, ``haiku``, or a full id the relay allows.
        """
        body = _completion_body(prompt, system, model, output_format, max_tokens, json_schema)
        field = "text" if "output_format" not in body else "result"
        answer = self._ask_for_json(_Ask("POST", "/v1/complete", body), timeout)
        value = answer.get(field)
        valid = isinstance(value, str) if field == "text" else field in answer
        if answer.get("ok") is not True or not valid:
            raise UnexpectedAnswerError("The answer is not a completion.", "unexpected_answer", 200)
        return value

    def stream(
        self,
        prompt: str,
        system: Optional[str] = None,
        model: Optional[str] = None,
        output_format: str = "text",
        *,
        max_tokens: Optional[int] = None,
        json_schema: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
    ) -> CompletionStream:
        """The answer's pieces as they are written. Nothing is repeated once the answer has begun."""
        body = _completion_body(prompt, system, model, output_format, max_tokens, json_schema)
        ask = _Ask("POST", "/v1/complete", {**body, "stream": True}, accept="text/event-stream")
        return CompletionStream(self._stream(ask, self._limit(timeout)))

    def fetch_page(
        self,
        url: str,
        *,
        max_bytes: Optional[int] = None,
        strip: Optional[bool] = None,
        format: Optional[Literal["html", "text", "markdown"]] = None,
        timeout: Optional[float] = None,
    ) -> Page:
        """Fetches a public web page through the relay's host.

        max_bytes: the relay's default is 500,000, its limit 2,000,000.
        strip: drop scripts, styles, svg and comments (JSON-LD stays); the relay's default is True.
        """
        body = _given(url=url, max_bytes=max_bytes, strip=strip, format=format)
        answer = self._ask_for_json(_Ask("POST", "/v1/fetch", body, repeatable=True), timeout)
        status, html, kind = answer.get("status"), answer.get("html"), answer.get("content_type")
        if answer.get("ok") is not True or not isinstance(status, int) or not isinstance(html, str):
            raise UnexpectedAnswerError("The answer is not a page.", "unexpected_answer", 200)
        return Page(
            status=status,
            final_url=str(answer.get("final_url", "")),
            content_type=kind if isinstance(kind, str) else None,
            truncated=answer.get("truncated") is True,
            html=html,
            request_id=str(answer.get("request_id", "")),
        )

    def models(self, *, timeout: Optional[float] = None) -> List[Model]:
        """Every model this key may name, page by page. ``timeout`` holds for each page."""
        found: Dict[str, Model] = {}
        after = ""
        while True:
            path = "/v1/models?limit=1000" + (after and "&after_id=" + urllib.parse.quote(after, ""))
            answer = self._ask_for_json(_Ask("GET", path, repeatable=True), timeout)
            data, before = answer.get("data"), len(found)
            if not isinstance(data, list):
                raise UnexpectedAnswerError("The answer is no list of models.", "unexpected_answer", 200)
            for entry in data:
                if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                    name = entry.get("display_name")
                    found[entry["id"]] = Model(entry["id"], name if isinstance(name, str) else entry["id"])
            after = answer["last_id"] if isinstance(answer.get("last_id"), str) else ""
            if answer.get("has_more") is not True or not after:
                return list(found.values())
            if len(found) == before:
                raise UnexpectedAnswerError("The list of models repeats itself.", "unexpected_answer")

    def _limit(self, timeout: Optional[float]) -> float:
        return self._timeout if timeout is None else _seconds("timeout", timeout)

    def _ask_for_json(self, ask: _Ask, timeout: Optional[float]) -> Dict[str, Any]:
        clock = _Clock(self._limit(timeout), "The relay did not answer within {} s.")

        def read(answer: _Answer) -> Dict[str, Any]:
            with answer:
                body = _parse_object(_text_of(answer))
            if body is None:
                raise UnexpectedAnswerError(_not_an_answer(answer), "unexpected_answer", answer.status)
            return body

        body: Dict[str, Any] = self._exchange(ask, clock, read)
        return body

    def _stream(self, ask: _Ask, limit: float) -> Generator[str, None, FinalAnswer]:
        clock = _Clock(limit, "The relay did not begin to answer within {} s.")
        with self._exchange(ask, clock, _require_event_stream) as answer:
            clock.silence(self._idle_timeout, "The stream was silent for {} s.")
            try:
                return (yield from _read_completion(answer, self._key))
            except (OSError, http.client.HTTPException) as error:
                raise _failure_of_connection(error, self._address, True).error from None

    def _exchange(self, ask: _Ask, clock: _Clock, read: Callable[[_Answer], Any]) -> Any:
        """Sends a request until it succeeds or must not be repeated."""
        body = None if ask.body is None else json.dumps(ask.body, allow_nan=False).encode()
        repeatable = ask.repeatable or self._retry_maybe_billed
        attempt = 0
        while True:
            outcome = self._attempt(ask, body, clock, read)
            if not isinstance(outcome, _Failure):
                return outcome
            wait = _wait_before_retry(outcome, attempt, self._max_retries, repeatable)
            # A wait that outlasts the call would only hide what the relay said.
            if wait is None or wait >= clock.left():
                raise outcome.error
            time.sleep(wait)
            attempt += 1

    def _attempt(
        self, ask: _Ask, body: Optional[bytes], clock: _Clock, read: Callable[[_Answer], Any]
    ) -> Any:
        connection = _Connection(self._address, clock)
        try:
            answer = connection.send(ask, body, self._key)
            if answer.status == 200:
                return read(answer)
            with answer:
                return _failure_of_answer(answer, self._key)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return _failure_of_connection(error, self._address, connection.sent)
        except BaseException:
            connection.close()
            raise


@overload
def complete(
    prompt: str, system: Optional[str] = ..., model: Optional[str] = ...,
    output_format: Literal["text"] = ..., *, max_tokens: Optional[int] = ...,
    json_schema: None = ..., timeout: Optional[float] = ...,
) -> str: ...  # fmt: skip


@overload
def complete(
    prompt: str, system: Optional[str] = ..., model: Optional[str] = ...,
    output_format: str = ..., *, max_tokens: Optional[int] = ...,
    json_schema: Optional[Mapping[str, Any]] = ..., timeout: Optional[float] = ...,
) -> Any: ...  # fmt: skip


def complete(
    prompt: str,
    system: Optional[str] = None,
    model: Optional[str] = None,
    output_format: str = "text",
    *,
    max_tokens: Optional[int] = None,
    json_schema: Optional[Mapping[str, Any]] = None,
    timeout: Optional[float] = None,
) -> Any:
    """Client.complete for the relay that CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY name."""
    return _from_environment().complete(
        prompt, system, model, output_format,
        max_tokens=max_tokens, json_schema=json_schema, timeout=timeout,
    )  # fmt: skip


def stream(
    prompt: str,
    system: Optional[str] = None,
    model: Optional[str] = None,
    output_format: str = "text",
    *,
    max_tokens: Optional[int] = None,
    json_schema: Optional[Mapping[str, Any]] = None,
    timeout: Optional[float] = None,
) -> CompletionStream:
    """Client.stream for the relay that CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY name."""
    return _from_environment().stream(
        prompt, system, model, output_format,
        max_tokens=max_tokens, json_schema=json_schema, timeout=timeout,
    )  # fmt: skip


def fetch_page(
    url: str,
    *,
    max_bytes: Optional[int] = None,
    strip: Optional[bool] = None,
    format: Optional[Literal["html", "text", "markdown"]] = None,
    timeout: Optional[float] = None,
) -> Page:
    """Client.fetch_page for the relay that CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY name."""
    client = _from_environment()
    return client.fetch_page(url, max_bytes=max_bytes, strip=strip, format=format, timeout=timeout)


def models(*, timeout: Optional[float] = None) -> List[Model]:
    """Client.models for the relay that CLAUDE_RELAY_URL and CLAUDE_RELAY_KEY name."""
    return _from_environment().models(timeout=timeout)


# --- Settings: checked before anything is sent. No message shows a value, which may be a secret. ---


class _Address(NamedTuple):
    scheme: str
    host: str
    port: int
    #: Scheme, host and port, as errors show them.
    origin: str
    #: Without a slash at its end.
    path: str


def _from_environment() -> Client:
    address = _address_of(os.environ.get("CLAUDE_RELAY_URL"), "CLAUDE_RELAY_URL")
    key = _key_of(os.environ.get("CLAUDE_RELAY_KEY"), "CLAUDE_RELAY_KEY")
    return Client(address.origin + address.path, key)


def _address_of(given: Optional[str], name: str) -> _Address:
    text = _text_given(given, name, "the relay's address, such as https://relay.example.com")
    if not re.match(r"https?://", text, re.IGNORECASE):
        raise _misconfigured(f"{name} must begin with https:// or http://.")
    try:
        parts = urllib.parse.urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urllib.parse.urlsplit("")
    if parts.username is not None or parts.query or parts.fragment:
        raise _misconfigured(f'{name} must be an address only: no user name, password, "?" or "#".')
    if not host or not re.fullmatch(r"[\x21-\x7e]+", host + parts.path):
        raise _misconfigured(f"{name} is not a valid URL.")
    path = parts.path.rstrip("/")
    if re.search(r"/v1(/|$)", path):
        raise _misconfigured(f"{name} must not contain /v1: the client adds it.")
    port = port or (443 if parts.scheme == "https" else 80)
    return _Address(parts.scheme, host, port, f"{parts.scheme}://{parts.netloc}", path)


def _key_of(given: Optional[str], name: str) -> str:
    text = _text_given(given, name, "an app key (crk_...), which ./bin/genkey <label> prints")
    # Checked here, as http.client would show the whole key in its complaint about the header.
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise _misconfigured(f"{name} holds a character that no key has.")
    return text


def _text_given(given: Optional[str], name: str, what: str) -> str:
    text = given.strip() if isinstance(given, str) else ""
    if not text:
        raise _misconfigured(f"{name} is not set: it must be {what}.")
    return text


def _seconds(name: str, value: float) -> float:
    if not 0 < value <= 2_147_483:
        raise _misconfigured(f"{name} must be a number of seconds above 0 and at most 2,147,483.")
    return float(value)


def _misconfigured(message: str) -> RelayConfigurationError:
    return RelayConfigurationError(message, "configuration_error")


# --- One exchange over HTTP. Redirects are not followed: the key must not travel on. ---


class _Ask(NamedTuple):
    method: str
    path: str
    body: Optional[Dict[str, Any]] = None
    #: Whether doing it twice costs nothing.
    repeatable: bool = False
    accept: str = "application/json"


class _Clock:
    """How long the next step on the socket may take: until a deadline, or so long each."""

    def __init__(self, limit: float, words: str) -> None:
        self._until: Optional[float] = time.monotonic() + limit
        self._limit = limit
        self._words = words

    def silence(self, limit: float, words: str) -> None:
        """From now on every step may take this long."""
        self._until, self._limit, self._words = None, limit, words

    def left(self) -> float:
        """Seconds; raises when the time is up."""
        left = self._limit if self._until is None else self._until - time.monotonic()
        if left <= 0:
            self.ring()
        return left

    def ring(self) -> NoReturn:
        raise RelayTimeoutError(self._words.format(f"{self._limit:g}"), "timeout_error")


class _TimedReader(io.RawIOBase):
    """What comes out of a socket, each piece within the clock's time."""

    def __init__(self, sock: socket.socket, clock: _Clock) -> None:
        self._sock = sock
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._clock.left())
        try:
            return self._sock.recv_into(buffer)
        except socket.timeout:
            self._clock.ring()

    def makefile(self, *_: Any) -> io.BufferedReader:
        """As http.client asks a socket for it."""
        return io.BufferedReader(self)


class _Connection:
    """A connection for one request. What it raises are OSError, HTTPException and RelayError."""

    def __init__(self, address: _Address, clock: _Clock) -> None:
        self._address = address
        self._clock = clock
        self._connection: Optional[http.client.HTTPConnection] = None
        #: Whether a byte of the request may have reached the relay.
        self.sent = False

    def send(self, ask: _Ask, body: Optional[bytes], key: str) -> _Answer:
        connection, prefix, proxy_headers = _connection_to(self._address, self._clock.left())
        self._connection = connection
        headers = {"Authorization": f"Bearer {key}", "Accept": ask.accept, "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.connect()
            sock = connection.sock
            sock.settimeout(self._clock.left())
            self.sent = True
            target = f"{prefix}{self._address.path}{ask.path}"
            connection.request(ask.method, target, body, {**headers, **proxy_headers})
        except socket.timeout:
            self._clock.ring()
        except (BrokenPipeError, ConnectionResetError):
            # A server may answer 413 and hang up before it has read everything.
            if not self.sent:
                raise
        reader: Any = _TimedReader(sock, self._clock)
        response = http.client.HTTPResponse(reader, method=ask.method)
        response.begin()
        return _Answer(response, self)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class _Answer:
    """A response whose body is yet to be read; closing it ends the connection."""

    def __init__(self, response: http.client.HTTPResponse, connection: _Connection) -> None:
        self._response = response
        self._connection = connection
        self.status = response.status

    def header(self, name: str) -> str:
        return (self._response.getheader(name) or "").strip()

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes. Raises IncompleteRead when it is cut off."""
        length, read = self._response.length, 0
        while length is None or read < length:
            chunk = self._response.read1(65536 if length is None else min(65536, length - read))
            if not chunk:
                break
            read += len(chunk)
            if read > _LARGEST_ANSWER:
                message = f"The answer is larger than {_LARGEST_ANSWER} bytes."
                raise UnexpectedAnswerError(message, "unexpected_answer", self.status)
            yield chunk
        if length is not None and read < length:
            raise http.client.IncompleteRead(b"", length - read)

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._response.close()


#: No answer of a relay comes near it: pages end at 2 MB, completions at 128,000 tokens.
_LARGEST_ANSWER = 32 * 1024 * 1024


def _connection_to(
    address: _Address, timeout: float
) -> Tuple[http.client.HTTPConnection, str, Dict[str, str]]:
    """A connection, what comes before the path in its request line, and headers for the proxy."""
    proxy = _proxy_for(address)
    if address.scheme == "http":
        host, port = (address.host, address.port) if proxy is None else (proxy.host, proxy.port)
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
        return (connection, "", {}) if proxy is None else (connection, address.origin, proxy.headers)
    context = ssl.create_default_context()
    host, port = (address.host, address.port) if proxy is None else (proxy.host, proxy.port)
    secure = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    if proxy is not None:
        secure.set_tunnel(address.host, address.port, proxy.headers)
    return secure, "", {}


class _Proxy(NamedTuple):
    host: str
    port: int
    headers: Dict[str, str]


def _proxy_for(address: _Address) -> Optional[_Proxy]:
    """The proxy that the environment (or the system) names for this address."""
    if _is_loopback(address.host) or urllib.request.proxy_bypass(f"{address.host}:{address.port}"):
        return None
    proxies = urllib.request.getproxies()
    given = proxies.get(address.scheme) or proxies.get("all")
    if not given:
        return None
    parts = urllib.parse.urlsplit(given if "://" in given else f"http://{given}")
    if parts.scheme != "http" or not parts.hostname:
        raise _misconfigured("Only http:// proxies can be used; name the relay in NO_PROXY to go around.")
    headers = {}
    if parts.username is not None:
        user = urllib.parse.unquote(f"{parts.username}:{parts.password or ''}")
        headers["Proxy-Authorization"] = "Basic " + b64encode(user.encode()).decode()
    return _Proxy(parts.hostname, parts.port or 80, headers)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


# --- Failures, and whether to try again. ---


class _Failure(NamedTuple):
    error: RelayError
    #: Whether the relay can have begun to work (and to pay) for it.
    reached: bool
    #: The answer's x-should-retry, which wins over everything else.
    should_retry: Optional[bool] = None


#: A longer Retry-After is for the caller to plan with, not to sleep through.
_LONGEST_RETRY_AFTER = 60.0


def _wait_before_retry(
    failure: _Failure, attempt: int, max_retries: int, repeatable: bool
) -> Optional[float]:
    """Seconds to wait; None when there is to be no further attempt.

    Full jitter over 0.5 s doubling up to 8 s, on top of what Retry-After asks for.
    """
    retry_after = failure.error.retry_after_seconds or 0.0
    if attempt >= max_retries or retry_after > _LONGEST_RETRY_AFTER:
        return None
    wanted = failure.should_retry
    if not (_is_safe(failure, repeatable) if wanted is None else wanted):
        return None
    backoff: float = min(8.0, 0.5 * 2**attempt)
    return retry_after + random.random() * backoff


def _is_safe(failure: _Failure, repeatable: bool) -> bool:
    """A completion costs money, so it is repeated only when the relay surely did not pay for the first.

    That is: no connection was made, or it turned the request away (429, 503, overloaded). After 500,
    502, 504 or a broken connection the model may have answered: only what is repeatable is tried again.
    """
    error = failure.error
    if error.type == "billing_error":
        return False
    if error.status is None:
        return error.type == "connection_error" and (repeatable or not failure.reached)
    if error.type == "overloaded_error" or error.status in (429, 503, 529):
        return True
    return repeatable and error.status in (500, 502, 504)


def _failure_of_answer(answer: _Answer, key: str) -> _Failure:
    status = answer.status
    if status < 400:
        error: RelayError = UnexpectedAnswerError(_not_an_answer(answer), "unexpected_answer", status)
        return _Failure(error, False, False)
    try:
        body = _parse_error(_text_of(answer))
    except (OSError, http.client.HTTPException, UnexpectedAnswerError):
        body = None
    request_id = (body or {}).get("request_id") or answer.header("request-id") or None
    error = _error_of_type(
        _proxys_words(answer) if body is None else _without_key(body["error"]["message"], key),
        _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
        if body is None
        else body["error"]["type"],
        status,
        request_id if isinstance(request_id, str) else None,
        _retry_after_seconds(answer),
    )
    return _Failure(error, True, {"true": True, "false": False}.get(answer.header("x-should-retry")))


def _failure_of_connection(error: BaseException, address: _Address, sent: bool) -> _Failure:
    why = getattr(error, "strerror", None) or error.__class__.__name__
    if sent:
        message = f"The connection to the relay at {address.origin} broke ({why})."
    else:
        message = (
            f"No connection to the relay at {address.origin} ({why}): "
            "is the address right, and does it run?"
        )
    # A certificate that does not fit will not fit in a second either.
    should_retry = False if isinstance(error, ssl.SSLError) and not sent else None
    return _Failure(RelayConnectionError(message, "connection_error"), sent, should_retry)


def _error_of_type(
    message: str,
    type: str,
    status: Optional[int] = None,
    request_id: Optional[str] = None,
    retry_after_seconds: Optional[float] = None,
) -> RelayError:
    """The error of a type in Anthropic's vocabulary; a type nobody knows goes by its status."""
    by_status = _TYPES.get(status or 0, "invalid_request_error" if (status or 500) < 500 else "api_error")
    subclass = _CLASSES.get(type) or _CLASSES[by_status]
    return subclass(message, type, status, request_id, retry_after_seconds)


_CLASSES: Dict[str, Type[RelayError]] = {
    "invalid_request_error": InvalidRequestError,
    "authentication_error": AuthenticationError,
    "billing_error": BillingError,
    "permission_error": PermissionDeniedError,
    "not_found_error": NotFoundError,
    "request_too_large": RequestTooLargeError,
    "rate_limit_error": RateLimitError,
    "api_error": ApiError,
    "overloaded_error": OverloadedError,
    "timeout_error": RelayTimeoutError,
}

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def _retry_after_seconds(answer: _Answer) -> Optional[float]:
    """Retry-After holds seconds or a date; a date is read by the answer's own clock."""
    value = answer.header("retry-after")
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return float(value)
    date = _http_date(value)
    if date is None:
        return None
    now = _http_date(answer.header("date"))
    return max(0.0, date - (time.time() if now is None else now))


def _http_date(text: str) -> Optional[float]:
    parsed = email.utils.parsedate_tz(text) if re.match(r"[A-Z][a-z]{2}, \d{2} ", text) else None
    try:
        return None if parsed is None else email.utils.mktime_tz(parsed)
    except (OverflowError, ValueError):
        return None


def _proxys_words(answer: _Answer) -> str:
    """For an error that does not come from a relay: a proxy's or a tunnel's page."""
    ngrok = re.fullmatch(r"ERR_NGROK_[0-9]+", answer.header("ngrok-error-code"))
    kind = ngrok.group() if ngrok else _kind_of(answer)
    return (
        f"The relay's address answered {answer.status} without saying why ({kind}): "
        "is the relay running behind its proxy or tunnel?"
    )


def _not_an_answer(answer: _Answer) -> str:
    """For an answer that should have been a success, and is none of a relay."""
    if answer.status >= 300:
        return (
            f"The relay's address answered with a redirect ({answer.status}), which is not followed, as "
            "the key must not travel on: set the URL to where the relay really is."
        )
    return (
        f"The relay's address answered {answer.status}, but not as a relay does ({_kind_of(answer)}): "
        "is the URL right, and is a proxy's page in between?"
    )


def _kind_of(answer: _Answer) -> str:
    return answer.header("content-type").split(";")[0] or "no content type"


def _without_key(message: str, key: str) -> str:
    """In case a server quotes what it was sent."""
    return message.replace(key, "[key]")[:2000]


def _rebuilt(cls: Type[RelayError], state: Dict[str, Any]) -> RelayError:
    error = cls(state["message"], state["type"])
    error.__dict__.update(state)
    return error


# --- Bodies and streams. ---


def _completion_body(
    prompt: str,
    system: Optional[str],
    model: Optional[str],
    output_format: str,
    max_tokens: Optional[int],
    json_schema: Optional[Mapping[str, Any]],
) -> Dict[str, Any]:
    wants_json = output_format == "json" or json_schema is not None
    return _given(
        prompt=prompt,
        system=system,
        model=model,
        # An unknown format is sent, for the relay to refuse.
        output_format="json" if wants_json else None if output_format == "text" else output_format,
        max_tokens=max_tokens,
        json_schema=json_schema,
    )


def _given(**fields: Any) -> Dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _text_of(answer: _Answer) -> str:
    try:
        return b"".join(answer.chunks()).decode("utf-8")
    except UnicodeDecodeError:
        raise _not_utf8() from None


def _parse_object(text: str) -> Optional[Dict[str, Any]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _parse_error(text: str) -> Optional[Dict[str, Any]]:
    """An error in Anthropic's shape; None for anything else."""
    body = _parse_object(text)
    error = (body or {}).get("error")
    if not isinstance(error, dict):
        return None
    return body if isinstance(error.get("type"), str) and isinstance(error.get("message"), str) else None


def _require_event_stream(answer: _Answer) -> _Answer:
    if _kind_of(answer).strip().lower() != "text/event-stream":
        with answer:
            raise UnexpectedAnswerError(_not_an_answer(answer), "unexpected_answer", answer.status)
    return answer


def _read_completion(answer: _Answer, key: str) -> Generator[str, None, FinalAnswer]:
    """The pieces of text; returns the whole. Events nobody knows are passed over."""
    pieces: List[str] = []
    for event, data in _events_in(answer):
        if event == "text":
            text = (_parse_object(data) or {}).get("text")
            if not isinstance(text, str):
                raise _garbage(event)
            pieces.append(text)
            yield text
        elif event == "done":
            return _final_answer("".join(pieces), data)
        elif event == "error":
            body = _parse_error(data)
            if body is None:
                raise _garbage(event)
            message, request_id = _without_key(body["error"]["message"], key), body.get("request_id")
            request_id = request_id if isinstance(request_id, str) else None
            raise _error_of_type(message, body["error"]["type"], None, request_id)
    raise RelayConnectionError("The stream was cut off before its end.", "connection_error")


def _final_answer(text: str, data: str) -> FinalAnswer:
    done = _parse_object(data) or {}
    if done.get("ok") is not True:
        raise _garbage("done")
    usage = done.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    names = Usage.__dataclass_fields__
    tokens = {name: counts[name] if isinstance(counts.get(name), int) else 0 for name in names}
    stop_reason, duration_ms = done.get("stop_reason"), done.get("duration_ms")
    return FinalAnswer(
        text=text,
        usage=Usage(**tokens),
        stop_reason=stop_reason if isinstance(stop_reason, str) else None,
        model=str(done.get("model", "")),
        model_id=str(done.get("model_id", "")),
        request_id=str(done.get("request_id", "")),
        duration_ms=duration_ms if isinstance(duration_ms, int) else 0,
        result=done.get("result"),
    )


def _events_in(answer: _Answer) -> Iterator[Tuple[str, str]]:
    """Name and data of each whole event. https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    event = ""
    data: List[str] = []
    for line in _lines_in(answer):
        if line == "":
            if data:
                yield event or "message", "\n".join(data)
            event, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "event":
            event = value
        elif field == "data":
            data.append(value)


def _lines_in(answer: _Answer) -> Iterator[str]:
    """Whole lines, whatever their breaks and wherever the bytes are cut."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    held = ""
    rest: List[str] = []
    for chunk in answer.chunks():
        try:
            text = held + decoder.decode(chunk)
        except UnicodeDecodeError:
            raise _not_utf8() from None
        # A carriage return at the very end may be half of a line break: it waits for what follows.
        held = "\r" if text.endswith("\r") else ""
        lines = re.split("\r\n|\r|\n", text[: len(text) - len(held)])
        for line in lines[:-1]:
            yield "".join(rest) + line
            rest = []
        rest.append(lines[-1])


def _garbage(event: str) -> UnexpectedAnswerError:
    message = f'The stream holds a "{event}" event that is not a relay\'s.'
    return UnexpectedAnswerError(message, "unexpected_answer")


def _not_utf8() -> UnexpectedAnswerError:
    return UnexpectedAnswerError("The answer is not UTF-8.", "unexpected_answer")


def main() -> int:
    """``python3 claude_relay.py "prompt"``, or the prompt on standard input."""
    prompt = " ".join(sys.argv[1:]) or sys.stdin.read()
    try:
        for piece in stream(prompt):
            print(piece, end="", flush=True)
    except RelayError as error:
        print(f"{error.type}: {error}", file=sys.stderr)
        return 1
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
