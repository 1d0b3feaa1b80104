"""The Python client against a hand-made relay: speaks the wire exactly, and breaks it exactly as told."""

from __future__ import annotations

import ast
import base64
import contextlib
import http.server
import json
import os
import pathlib
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
import unittest
from typing import Any, Callable, Dict, List, Optional, Tuple
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import claude_relay
from claude_relay import Client, RelayError

KEY = "crk_testkey0123456789"
SOURCE = pathlib.Path(claude_relay.__file__)
COMMON = {"ok": True, "request_id": "req_1", "model": "opus", "model_id": "claude-opus-5-5", "duration_ms": 12}
USAGE = {"input_tokens": 7, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 1}

Reply = Callable[["Handler"], None]


class Asked:
    def __init__(self, method: str, path: str, headers: Any, body: Any) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Double

    def answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        self.server.asked.append(Asked(self.command, self.path, self.headers, json.loads(body) if body else None))
        replies = self.server.replies
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        with contextlib.suppress(OSError):
            reply(self)

    do_GET = do_POST = do_CONNECT = answer

    def head(self, status: int, headers: Dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def caller_left(self) -> None:
        """Returns when the caller has closed the connection."""
        self.connection.settimeout(30)
        with contextlib.suppress(ConnectionError):
            while self.connection.recv(1024):
                pass
        self.server.left.set()

    def cut(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class Double(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked: List[Asked] = []
        self.replies: List[Reply] = []
        self.left = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, *_: Any) -> None:
        pass


def raw(status: int, body: bytes, headers: Optional[Dict[str, str]] = None) -> Reply:
    def reply(handler: Handler) -> None:
        kind = {"content-type": "application/json", "content-length": str(len(body))}
        handler.head(status, {**kind, **(headers or {})})
        handler.wfile.write(body)

    return reply


def js(status: int, body: Any, headers: Optional[Dict[str, str]] = None) -> Reply:
    return raw(status, json.dumps(body, ensure_ascii=False).encode(), headers)


def text(said: str) -> Reply:
    return js(200, {**COMMON, "stop_reason": "end_turn", "text": said})


def result(value: Any) -> Reply:
    return js(200, {**COMMON, "stop_reason": "end_turn", "result": value, "usage": USAGE})


def error_body(type: str, message: str = "No.") -> Dict[str, Any]:
    return {"ok": False, "type": "error", "error": {"type": type, "message": message}, "request_id": "req_9"}


def refusal(status: int, type: str, message: str = "No.", headers: Optional[Dict[str, str]] = None) -> Reply:
    return js(status, error_body(type, message), headers)


def page(status: int, html: str, headers: Optional[Dict[str, str]] = None) -> Reply:
    return raw(status, html.encode(), {"content-type": "text/html; charset=utf-8", **(headers or {})})


def event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def piece(said: str) -> bytes:
    return event("text", {"text": said})


PING = event("ping", {})
DONE = event("done", {**COMMON, "stop_reason": "end_turn", "usage": USAGE})


def stream(*pieces: bytes, after: Optional[Reply] = None, pause: float = 0) -> Reply:
    """A chunked stream of these pieces, a chunk each; it ends well unless `after` does something else."""

    def reply(handler: Handler) -> None:
        handler.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for one in pieces:
            time.sleep(pause)
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(one), one))
        if after is None:
            handler.wfile.write(b"0\r\n\r\n")
        else:
            after(handler)

    return reply


class RelayTest(unittest.TestCase):
    def setUp(self) -> None:
        self.relay = self.double()
        self.waits: List[float] = []
        # Only the client's own sleep: the hand-made relay still takes its time.
        clock = mock.Mock(wraps=time, sleep=self.waits.append)
        for patch in (
            mock.patch.object(claude_relay, "time", clock),
            mock.patch("random.random", lambda: 0.5),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def double(self) -> Double:
        double = Double()
        self.addCleanup(double.server_close)
        self.addCleanup(double.shutdown)
        return double

    def replies(self, *replies: Reply) -> None:
        self.relay.replies = list(replies)
        self.relay.asked.clear()
        self.relay.left.clear()
        self.waits.clear()

    def client(self, **options: Any) -> Client:
        return Client(**{"url": self.relay.url, "key": KEY, **options})

    def failure(self, reply: Reply, **options: Any) -> RelayError:
        self.replies(reply)
        with self.assertRaises(RelayError) as caught:
            self.client(**{"max_retries": 0, **options}).complete("p")
        return caught.exception


class Complete(RelayTest):
    def test_gives_the_text_and_sends_only_what_was_said(self) -> None:
        self.replies(text("Wörter 🦊"))
        self.assertEqual(self.client().complete("Hi"), "Wörter 🦊")
        (asked,) = self.relay.asked
        self.assertEqual((asked.method, asked.path, asked.body), ("POST", "/v1/complete", {"prompt": "Hi"}))
        self.assertEqual(asked.headers["authorization"], f"Bearer {KEY}")
        self.assertEqual(asked.headers["content-type"], "application/json")

    def test_sends_every_option_under_its_name_on_the_wire(self) -> None:
        self.replies(result([]))
        schema = {"type": "array"}
        self.client().complete("p", "s", "haiku", max_tokens=9, json_schema=schema)
        body = {"prompt": "p", "system": "s", "model": "haiku", "max_tokens": 9}
        self.assertEqual(self.relay.asked[0].body, {**body, "output_format": "json", "json_schema": schema})

    def test_gives_the_json_value_null_and_plain_text_included(self) -> None:
        for value in (["red"], None, 0, False, "not JSON", {"a": {"b": []}}):
            self.replies(result(value))
            self.assertEqual(self.client().complete("p", output_format="json"), value)

    def test_lone_surrogates_and_every_unicode_go_through(self) -> None:
        self.replies(text("ok"))
        prompt = "\ud800 \0 \U0010ffff \u2028"
        self.client().complete(prompt)
        self.assertEqual(self.relay.asked[0].body["prompt"], prompt)

    def test_knows_the_relay_below_a_path(self) -> None:
        self.replies(text("ok"))
        self.client(url=f"{self.relay.url}/team/relay//").complete("p")
        self.assertEqual(self.relay.asked[0].path, "/team/relay/v1/complete")

    def test_takes_five_megabytes_and_not_an_answer_without_end(self) -> None:
        long = "Zeichen 🦊 " * 400_000
        self.replies(text(long))
        self.assertEqual(self.client().complete("p"), long)

        def endless(handler: Handler) -> None:
            handler.head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
            while True:
                handler.wfile.write(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")

        self.assertRegex(str(self.failure(endless)), "larger than 33554432 bytes")

    def test_takes_no_success_for_an_answer_that_is_none_of_a_relay(self) -> None:
        strangers = [
            raw(200, b"{"), js(200, []), js(200, {"ok": False, "text": "a"}), js(200, {"text": "without ok"}),
            result("but text was asked for"), raw(200, b'{"ok":true,"text":"\xff"}'), raw(200, b"[" * 100_000),
            page(200, "<html>Welcome</html>"),
        ]  # fmt: skip
        for stranger in strangers:
            self.assertIsInstance(self.failure(stranger, max_retries=3), claude_relay.UnexpectedAnswerError)
            self.assertEqual(len(self.relay.asked), 1)

    def test_says_at_once_what_it_cannot_send(self) -> None:
        self.replies(text("ok"))
        with self.assertRaises(ValueError):
            self.client().complete("p", json_schema={"maximum": float("nan")})
        self.assertEqual(self.relay.asked, [])


class Stream(RelayTest):
    def test_gives_the_pieces_and_at_the_end_what_they_took(self) -> None:
        self.replies(stream(PING, piece("Hel"), PING, piece("lo"), DONE))
        answer = self.client().stream("p", system="s")
        self.assertEqual(list(answer), ["Hel", "lo"])
        final = answer.final()
        self.assertEqual((final.text, final.stop_reason, final.model), ("Hello", "end_turn", "opus"))
        self.assertEqual((final.model_id, final.request_id, final.duration_ms), ("claude-opus-5-5", "req_1", 12))
        self.assertEqual(final.usage, claude_relay.Usage(**USAGE))
        self.assertEqual(self.relay.asked[0].body, {"prompt": "p", "system": "s", "stream": True})
        self.assertEqual(self.relay.asked[0].headers["accept"], "text/event-stream")

    def test_gives_a_piece_before_the_next_one_is_sent(self) -> None:
        more = threading.Event()

        def rest(handler: Handler) -> None:
            more.wait(30)
            last = piece("second") + DONE
            handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(last), last))

        self.replies(stream(piece("first"), after=rest))
        answer = self.client().stream("p")
        self.assertEqual(next(answer), "first")
        more.set()
        self.assertEqual(list(answer), ["second"])

    def test_final_reads_what_is_left(self) -> None:
        done = event("done", {**COMMON, "stop_reason": None, "usage": USAGE, "result": {"a": 1}})
        self.replies(stream(piece("a"), piece("b"), done))
        answer = self.client().stream("p", output_format="json")
        self.assertEqual(self.relay.asked, [])
        self.assertEqual(next(answer), "a")
        final = answer.final()
        self.assertEqual((final.text, final.result, final.stop_reason), ("ab", {"a": 1}, None))
        self.assertIs(answer.final(), final)

    def test_puts_characters_and_events_together_that_arrive_byte_by_byte(self) -> None:
        whole = PING + piece("für 🦊") + piece("日本\u2028\x85\n") + DONE
        for source in (whole, whole.replace(b"\n", b"\r\n"), whole.replace(b"\n", b"\r")):
            self.replies(stream(*[bytes([byte]) for byte in source], b"\n"))
            self.assertEqual(list(self.client().stream("p")), ["für 🦊", "日本\u2028\x85\n"])

    def test_passes_over_what_nobody_knows_and_what_follows_the_end(self) -> None:
        odd = b"id: 7\nretry: 1\n: a comment\n\nevent: news\ndata: {]\n\n"
        self.replies(stream(odd, piece("a"), DONE, piece("b"), b"data: rubbish\n\n"))
        self.assertEqual(self.client().stream("p").final().text, "a")

    def test_raises_an_error_event_with_its_type_and_asks_once_only(self) -> None:
        for before in ((), (piece("a"),)):
            self.replies(stream(*before, event("error", error_body("overloaded_error", "Busy."))))
            answer = self.client().stream("p")
            with self.assertRaisesRegex(claude_relay.OverloadedError, "Busy.") as caught:
                list(answer)
            self.assertEqual(caught.exception.request_id, "req_9")
            with self.assertRaises(claude_relay.OverloadedError):
                answer.final()
            self.assertEqual(len(self.relay.asked), 1)

    def test_never_takes_a_cut_stream_for_whole(self) -> None:
        cuts = [
            stream(), stream(piece("a")), stream(piece("a"), DONE.rstrip()), stream(piece("a"), after=Handler.cut),
            stream(piece("a"), b"event: te", after=Handler.cut),
        ]  # fmt: skip
        for reply in cuts:
            self.replies(reply)
            with self.assertRaises(claude_relay.RelayConnectionError):
                list(self.client(retry_maybe_billed=True).stream("p"))
            self.assertEqual(len(self.relay.asked), 1)

    def test_raises_at_garbage(self) -> None:
        garbage = [
            stream(b"event: text\ndata: {\n\n"), stream(b"event: text\ndata: null\n\n"),
            stream(b'event: done\ndata: {"ok":false}\n\n'), stream(b"event: error\ndata: oh\n\n"),
            stream(b'event: text\ndata: {"text":"\xff"}\n\n'), page(200, "<html>Are you human?</html>"),
        ]  # fmt: skip
        for reply in garbage:
            self.replies(reply)
            with self.assertRaises(claude_relay.UnexpectedAnswerError):
                self.client().stream("p").final()

    def test_is_asked_again_while_nothing_has_been_streamed(self) -> None:
        self.replies(refusal(503, "api_error"), stream(piece("a"), DONE))
        self.assertEqual(self.client().stream("p").final().text, "a")
        self.assertEqual(len(self.relay.asked), 2)

    def test_left_in_the_middle_ends_the_request(self) -> None:
        def by_break(answer: claude_relay.CompletionStream) -> None:
            for _ in answer:
                break
            answer.close()
            with self.assertRaisesRegex(RelayError, "left before its end"):
                answer.final()

        def by_with(answer: claude_relay.CompletionStream) -> None:
            with answer as pieces:
                next(pieces)

        for leave in (by_break, by_with):
            self.replies(stream(piece("a"), piece("b"), after=Handler.caller_left))
            leave(self.client().stream("p"))
            self.assertTrue(self.relay.left.wait(30))
        self.replies(stream(piece("a"), after=Handler.caller_left))
        next(self.client().stream("p"))
        self.assertTrue(self.relay.left.wait(30), "dropping the stream ends the request")

    def test_ends_when_it_is_silent_for_too_long_and_not_when_only_the_reader_is_slow(self) -> None:
        self.replies(stream(piece("a"), piece("b"), PING, after=Handler.caller_left))
        pieces = []
        with self.assertRaisesRegex(claude_relay.RelayTimeoutError, "silent for 0.1 s"):
            for one in self.client(idle_timeout=0.1).stream("p"):
                pieces.append(one)
                time.sleep(0.15)
        self.assertEqual(pieces, ["a", "b"])
        self.assertTrue(self.relay.left.wait(30))

    def test_pings_keep_it_going(self) -> None:
        self.replies(stream(*[PING] * 8, piece("late"), DONE, pause=0.1))
        client = self.client(idle_timeout=0.5, timeout=0.5)
        self.assertEqual(client.stream("p").final().text, "late")


class Retries(RelayTest):
    UNSAFE = [
        refusal(500, "api_error"), refusal(502, "api_error"), refusal(504, "timeout_error"),
        page(502, "<html>ngrok</html>"), Handler.cut,
        raw(200, b'{"ok":true,', {"content-length": "1000", "connection": "close"}),
    ]  # fmt: skip

    def requests_after(self, first: Reply, **options: Any) -> int:
        def cut_after(handler: Handler) -> None:
            first(handler)
            handler.close_connection = True

        self.replies(cut_after, text("ok"))
        with contextlib.suppress(RelayError):
            self.client(**options).complete("p")
        return len(self.relay.asked)

    def test_what_the_relay_turned_away_is_repeated(self) -> None:
        safe = [
            refusal(429, "rate_limit_error"), refusal(503, "api_error"), refusal(529, "overloaded_error"),
            refusal(502, "overloaded_error"), page(503, "<html>nginx</html>"),
        ]  # fmt: skip
        for first in safe:
            self.assertEqual(self.requests_after(first), 2)

    def test_what_may_have_been_paid_for_is_not_unless_told_to(self) -> None:
        for first in self.UNSAFE:
            self.assertEqual(self.requests_after(first), 1)
            self.assertEqual(self.requests_after(first, retry_maybe_billed=True), 2)

    def test_what_cannot_succeed_never_is(self) -> None:
        hopeless = [refusal(status, "odd") for status in (400, 401, 403, 404, 409, 413, 418)]
        for first in [*hopeless, refusal(429, "billing_error")]:
            self.assertEqual(self.requests_after(first, retry_maybe_billed=True), 1)

    def test_x_should_retry_wins(self) -> None:
        for wish, status, requests in (("true", 504, 2), ("true", 400, 2), ("false", 503, 1), ("odd", 503, 2)):
            first = refusal(status, "api_error", "", {"x-should-retry": wish})
            self.assertEqual(self.requests_after(first), requests)

    def test_at_most_max_retries_times(self) -> None:
        for options, requests in (({"max_retries": 0}, 1), ({"max_retries": 1}, 2), ({}, 3)):
            self.replies(refusal(529, "overloaded_error"))
            with self.assertRaises(claude_relay.OverloadedError):
                self.client(**options).complete("p")
            self.assertEqual(len(self.relay.asked), requests)

    def test_a_page_fetch_or_a_list_of_models_costs_no_money_and_is_repeated(self) -> None:
        for first in self.UNSAFE:
            for ask in (lambda client: client.fetch_page("u"), lambda client: client.models()):
                self.replies(first, refusal(400, "invalid_request_error"))
                with self.assertRaises(RelayError):
                    ask(self.client())
                # Half an answer with status 200 is none of these doors' either.
                self.assertEqual(len(self.relay.asked), 2)

    def test_no_connection_is_repeated(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(claude_relay.RelayConnectionError, f"127.0.0.1:{port}.*[Cc]onnection refused"):
                self.client(url=f"http://127.0.0.1:{port}").complete("p")
        self.assertEqual(self.waits, [0.25, 0.5])

    def wait_after(self, headers: Dict[str, str], **options: Any) -> Tuple[List[float], Optional[RelayError]]:
        self.replies(refusal(429, "rate_limit_error", "Slow down.", headers), text("ok"))
        try:
            self.client(**options).complete("p")
        except RelayError as error:
            return self.waits, error
        return self.waits, None

    def test_the_wait_has_jitter_over_doubling_steps(self) -> None:
        self.replies(refusal(503, "api_error"))
        with self.assertRaises(claude_relay.ApiError):
            self.client(max_retries=7).complete("p")
        self.assertEqual(self.waits, [0.25, 0.5, 1, 2, 4, 4, 4])

    def test_the_wait_is_never_shorter_than_retry_after(self) -> None:
        self.assertEqual(self.wait_after({"retry-after": "7"})[0], [7.25])
        date = "Wed, 21 Oct 2015 07:28:00 GMT"
        later = "Wed, 21 Oct 2015 07:28:30 GMT"
        self.assertEqual(self.wait_after({"retry-after": later, "date": date})[0], [30.25])
        self.assertEqual(self.wait_after({"retry-after": date})[0], [0.25])
        for odd in ("-5", "soon", "", "1e9", "Infinity", "99 bottles", "Wed, 99 Foo 2015 07:28:30 GMT"):
            self.assertEqual(self.wait_after({"retry-after": odd})[0], [0.25], odd)

    def test_a_wait_of_more_than_a_minute_or_than_the_call_may_take_is_not_begun(self) -> None:
        for headers, options in (({"retry-after": "61"}, {}), ({"retry-after": "20"}, {"timeout": 10})):
            waits, error = self.wait_after(headers, **options)
            self.assertEqual(waits, [])
            self.assertIsInstance(error, claude_relay.RateLimitError)
            assert error is not None
            self.assertEqual(error.retry_after_seconds, float(headers["retry-after"]))
        self.assertEqual(self.wait_after({"retry-after": "60"})[0], [60.25])


class Timeouts(RelayTest):
    def assert_times_out(self, reply: Reply) -> None:
        error = self.failure(reply, timeout=0.2, max_retries=2)
        self.assertIsInstance(error, claude_relay.RelayTimeoutError)
        self.assertEqual((error.type, error.status), ("timeout_error", None))
        self.assertEqual(len(self.relay.asked), 1)

    def test_a_call_that_is_not_answered_ends_and_lets_go(self) -> None:
        self.assert_times_out(Handler.caller_left)
        self.assertTrue(self.relay.left.wait(30))

    def test_the_limit_covers_a_head_a_body_and_an_error_that_trickle(self) -> None:
        def trickle(begin: Callable[[Handler], Any], drop: bytes) -> Reply:
            def reply(handler: Handler) -> None:
                begin(handler)
                while True:
                    handler.wfile.write(drop)
                    time.sleep(0.02)

            return reply

        chunked = {"transfer-encoding": "chunked"}
        self.assert_times_out(trickle(lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: "), b"a"))
        self.assert_times_out(trickle(lambda handler: handler.head(200, chunked), b"1\r\n \r\n"))
        self.assert_times_out(trickle(lambda handler: handler.head(503, chunked), b"1\r\n \r\n"))


class Errors(RelayTest):
    def test_every_type_has_its_class_with_all_it_says(self) -> None:
        classes = [
            (400, "invalid_request_error", claude_relay.InvalidRequestError),
            (401, "authentication_error", claude_relay.AuthenticationError),
            (403, "permission_error", claude_relay.PermissionDeniedError),
            (404, "not_found_error", claude_relay.NotFoundError),
            (413, "request_too_large", claude_relay.RequestTooLargeError),
            (429, "rate_limit_error", claude_relay.RateLimitError),
            (429, "billing_error", claude_relay.BillingError),
            (429, "weather_error", claude_relay.RateLimitError),
            (502, "api_error", claude_relay.ApiError),
            (502, "overloaded_error", claude_relay.OverloadedError),
            (504, "timeout_error", claude_relay.RelayTimeoutError),
        ]
        for status, type, subclass in classes:
            error = self.failure(refusal(status, type, "What is wrong.", {"retry-after": "3"}))
            self.assertIs(error.__class__, subclass)
            for one in (error, pickle.loads(pickle.dumps(error))):
                self.assertEqual(str(one), "What is wrong.")
                said = (one.status, one.type, one.request_id, one.retry_after_seconds)
                self.assertEqual(said, (status, type, "req_9", 3.0))

    def test_a_proxys_page_goes_by_its_status_and_is_not_repeated(self) -> None:
        error = self.failure(page(502, "<html>secret page</html>"))
        self.assertIsInstance(error, claude_relay.ApiError)
        self.assertRegex(str(error), r"answered 502 .*text/html")
        self.assertNotIn("secret page", str(error))
        for body in (b"", b"null", b"[]", b'{"error":null}', b'{"error":{"type":1}}', b"{", b"\xff"):
            self.assertIsInstance(self.failure(raw(500, body)), claude_relay.ApiError)
        ngrok = self.failure(page(404, "offline", {"ngrok-error-code": "ERR_NGROK_3200"}))
        self.assertIsInstance(ngrok, claude_relay.NotFoundError)
        self.assertIn("ERR_NGROK_3200", str(ngrok))

    def test_a_redirect_is_not_followed(self) -> None:
        elsewhere = self.double()
        elsewhere.replies = [text("stolen")]
        for status in (301, 302, 303, 307, 308):
            error = self.failure(js(status, {}, {"location": f"{elsewhere.url}/v1/complete"}), max_retries=2)
            self.assertIsInstance(error, claude_relay.UnexpectedAnswerError)
            self.assertIn("redirect", str(error))
            self.assertEqual(len(self.relay.asked), 1)
        self.assertEqual(elsewhere.asked, [])

    def test_the_key_is_in_no_error_and_no_repr(self) -> None:
        self.assertNotIn(KEY, repr(self.client()))
        failing = [
            refusal(401, "authentication_error", f"The key {KEY} is unknown; {KEY}!"), page(500, KEY),
            raw(200, KEY.encode()), js(302, {}, {"location": f"https://example.com/{KEY}"}), Handler.cut,
            lambda handler: handler.wfile.write(f"HTTP/1.1 {KEY} {KEY}\r\n\r\n".encode()),
        ]  # fmt: skip
        for reply in failing:
            error = self.failure(reply)
            shown = "".join(traceback.format_exception(error.__class__, error, error.__traceback__))
            self.assertNotIn(KEY, shown + repr(error) + repr(vars(error)))
        for last in (event("error", error_body("api_error", KEY)), f"event: text\ndata: {KEY}\n\n".encode()):
            self.replies(stream(last))
            with self.assertRaises(RelayError) as caught:
                self.client().stream("p").final()
            self.assertNotIn(KEY, repr(caught.exception) + traceback.format_exc())


class PageAndModels(RelayTest):
    ANSWER = {
        "ok": True, "request_id": "req_1", "status": 404, "final_url": "https://example.com/b",
        "content_type": None, "truncated": True, "html": "<p>ä</p>",
    }  # fmt: skip

    def test_a_page_comes_with_its_own_status(self) -> None:
        self.replies(js(200, self.ANSWER))
        page = self.client().fetch_page("u", max_bytes=9, strip=False, format="markdown")
        self.assertEqual(page, claude_relay.Page(404, "https://example.com/b", None, True, "<p>ä</p>", "req_1"))
        self.assertEqual(self.relay.asked[0].path, "/v1/fetch")
        body = {"url": "u", "max_bytes": 9, "strip": False, "format": "markdown"}
        self.assertEqual(self.relay.asked[0].body, body)
        self.client().fetch_page("u")
        self.assertEqual(self.relay.asked[1].body, {"url": "u"})

    def test_models_come_page_by_page(self) -> None:
        def listed(*ids: str, last: Optional[str] = None) -> Reply:
            data = [{"type": "model", "id": id, "display_name": id.upper()} for id in ids]
            return js(200, {"data": data, "has_more": last is not None, "last_id": last})

        self.replies(listed("a", "b", last="b&"), listed("c"))
        expected = [claude_relay.Model(id, id.upper()) for id in "abc"]
        self.assertEqual(self.client().models(), expected)
        self.assertEqual(self.relay.asked[1].path, "/v1/models?limit=1000&after_id=b%26")
        self.replies(listed("a", last="a"))
        with self.assertRaisesRegex(RelayError, "repeats itself"):
            self.client().models()

    def test_nothing_else_is_taken_for_them(self) -> None:
        self.replies(js(200, {"ok": True}))
        for ask in (self.client().models, lambda: self.client().fetch_page("u")):
            with self.assertRaises(claude_relay.UnexpectedAnswerError):
                ask()


class Settings(RelayTest):
    def complaint(self, **options: Any) -> str:
        try:
            Client(**{"url": "https://relay.example.com", "key": KEY, **options})
        except claude_relay.RelayConfigurationError as error:
            return str(error)
        return ""

    def test_addresses(self) -> None:
        for url in ("http://localhost:8799", "https://a.b/", "HTTPS://a.b/c//", " https://[::1]:1\n"):
            self.assertEqual(self.complaint(url=url), "")
        wrong = {
            "": "url is not set", "  ": "url is not set", "relay.example.com": "must begin with https",
            "localhost:8799": "must begin with https", "ftp://a.b": "must begin with https",
            "https://": "not a valid URL", "https://a b": "not a valid URL", "https://a:99999": "not a valid URL",
            "https://user:pass@a.b": "no user name", "https://a.b?x=1": "no user name",
            "https://a.b/v1": "must not contain /v1", "https://a.b/v1/complete": "must not contain /v1",
        }  # fmt: skip
        for url, words in wrong.items():
            self.assertIn(words, self.complaint(url=url))
        self.assertIn("url is not set", self.complaint(url=None))

    def test_keys_are_never_shown(self) -> None:
        self.assertRegex(self.complaint(key=""), "key is not set.*genkey")
        for bad in ("crk_a\nb", "crk_ü", "crk a", "crk_\0"):
            message = self.complaint(key=bad)
            self.assertIn("a character that no key has", message)
            self.assertNotIn(bad, message)
        for url in (KEY, f"https://{KEY}@example.com/?{KEY}"):
            self.assertNotIn(KEY, self.complaint(url=url))

    def test_limits(self) -> None:
        for value in (0, -1, float("nan"), float("inf")):
            self.assertIn("timeout", self.complaint(timeout=value))
            self.assertIn("idle_timeout", self.complaint(idle_timeout=value))
            with self.assertRaises(claude_relay.RelayConfigurationError):
                self.client().complete("p", timeout=value)
        self.assertIn("max_retries", self.complaint(max_retries=-1))

    def test_the_environment_is_read_at_each_call(self) -> None:
        self.replies(text("ok"))
        with mock.patch.dict(os.environ, CLAUDE_RELAY_URL=self.relay.url, CLAUDE_RELAY_KEY=f"{KEY}\n"):
            claude_relay.complete("p")
            os.environ["CLAUDE_RELAY_KEY"] = "crk_rotated"
            claude_relay.complete("p")
            del os.environ["CLAUDE_RELAY_KEY"]
            with self.assertRaisesRegex(RelayError, "CLAUDE_RELAY_KEY is not set"):
                claude_relay.models()
            os.environ["CLAUDE_RELAY_URL"] = "relay.example.com"
            with self.assertRaisesRegex(RelayError, "CLAUDE_RELAY_URL must begin with https:// or http://"):
                claude_relay.stream("p")
        sent = [asked.headers["authorization"] for asked in self.relay.asked]
        self.assertEqual(sent, [f"Bearer {KEY}", "Bearer crk_rotated"])


class Network(RelayTest):
    def test_loopback_is_never_asked_through_a_proxy(self) -> None:
        self.replies(text("ok"))
        with mock.patch.dict(os.environ, http_proxy="http://127.0.0.1:1", no_proxy=""):
            self.assertEqual(self.client().complete("p"), "ok")

    def test_other_hosts_are_asked_through_the_environments_proxy(self) -> None:
        self.replies(text("ok"))
        proxy = self.relay.url.replace("http://", "http://user:p%40ss@")
        client = self.client(url="http://relay.invalid:8799/x")
        with mock.patch.dict(os.environ, http_proxy=proxy, no_proxy=""):
            self.assertEqual(client.complete("p"), "ok")
        (asked,) = self.relay.asked
        self.assertEqual(asked.path, "http://relay.invalid:8799/x/v1/complete")
        credentials = base64.b64decode(asked.headers["proxy-authorization"].split()[1])
        self.assertEqual(credentials, b"user:p@ss")
        with mock.patch.dict(os.environ, http_proxy=proxy, no_proxy="relay.invalid"):
            with self.assertRaises(claude_relay.RelayConnectionError):
                client.complete("p")
        self.assertEqual(len(self.relay.asked), 1)

    def test_https_is_tunnelled_and_a_proxy_never_sees_the_key(self) -> None:
        self.replies(raw(403, b"no"))
        client = self.client(url="https://relay.invalid", max_retries=0)
        with mock.patch.dict(os.environ, https_proxy=self.relay.url, no_proxy=""):
            with self.assertRaises(claude_relay.RelayConnectionError):
                client.complete("p")
        (asked,) = self.relay.asked
        self.assertEqual((asked.method, asked.path), ("CONNECT", "relay.invalid:443"))
        self.assertNotIn(KEY, str(asked.headers))

    def test_a_proxy_that_cannot_be_used_is_named(self) -> None:
        with mock.patch.dict(os.environ, http_proxy="socks5://127.0.0.1:1", no_proxy=""):
            with self.assertRaisesRegex(claude_relay.RelayConfigurationError, "Only http:// proxies"):
                self.client(url="http://relay.invalid").complete("p")

    def test_a_server_that_speaks_no_tls_or_shows_no_good_certificate_gets_no_key(self) -> None:
        self.replies(text("ok"))
        client = self.client(url=self.relay.url.replace("http:", "https:"))
        with self.assertRaises(claude_relay.RelayConnectionError):
            client.complete("p")
        self.assertEqual((self.relay.asked, self.waits), ([], []))
        made: List[ssl.SSLContext] = []
        with mock.patch("http.client.HTTPSConnection", side_effect=lambda *_, context, **__: made.append(context) or 1 / 0):
            with self.assertRaises(ZeroDivisionError):
                client.complete("p")
        self.assertEqual((made[0].verify_mode, made[0].check_hostname), (ssl.CERT_REQUIRED, True))


class CommandLine(RelayTest):
    def run_cli(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "CLAUDE_RELAY_URL": self.relay.url, "CLAUDE_RELAY_KEY": KEY}
        command = [sys.executable, str(SOURCE), *arguments]
        return subprocess.run(command, env=env, input=stdin, capture_output=True, text=True, check=False)

    def test_prints_the_answer_to_its_arguments_or_its_standard_input(self) -> None:
        self.replies(stream(piece("a"), piece("b"), DONE))
        self.assertEqual(self.run_cli("two", "words").stdout, "ab\n")
        self.assertEqual(self.run_cli(stdin="piped").stdout, "ab\n")
        self.assertEqual([asked.body["prompt"] for asked in self.relay.asked], ["two words", "piped"])

    def test_says_what_went_wrong_and_exits_1(self) -> None:
        self.replies(refusal(401, "authentication_error", "Unknown key."))
        run = self.run_cli("p")
        self.assertEqual((run.returncode, run.stderr), (1, "authentication_error: Unknown key.\n"))


class Source(unittest.TestCase):
    def test_is_python_3_9_and_imports_only_the_standard_library(self) -> None:
        tree = ast.parse(SOURCE.read_text("utf-8"), feature_version=(3, 9))
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names] if isinstance(node, ast.Import)
                else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            )
        }  # fmt: skip
        if sys.version_info >= (3, 10):
            self.assertLessEqual(imported, sys.stdlib_module_names)

    def test_annotates_every_function(self) -> None:
        for node in ast.walk(ast.parse(SOURCE.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                arguments = [*node.args.args, *node.args.kwonlyargs]
                bare = [one.arg for one in arguments if one.annotation is None and one.arg not in ("self", "cls")]
                self.assertEqual((node.name, bare), (node.name, []))
                self.assertIsNotNone(node.returns, node.name)


if __name__ == "__main__":
    unittest.main()
