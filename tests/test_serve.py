"""The web application's API: its answers, its limits, and what it says to requests that it refuses."""

import json
import re
import socket
import time
from threading import Event, Thread

import httpx
import pytest
import spacy
from serving import Watched, running, serving, watched_server

from hmtl_spacy import __version__
from hmtl_spacy.data.writers.jsonl import to_jsonl
from hmtl_spacy.serve import Limits
from hmtl_spacy.serve.app import create_app
from hmtl_spacy.serve.reading import UNBROKEN_RUNS
from hmtl_spacy.serve.schemas import Document, Documents

TEXT = "Ann Lee works for Acme Corp . She likes it ."
TEXTS = [TEXT, "", "Bob met Ann Lee . He lives in Rome .", "\u200f\U0001f600 \x00 e\u0301"]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(trained_bytes):
    """The address of a server with low limits, and what its pipeline was asked; one for many tests."""
    with watched_server(trained_bytes, text=500, texts=4, body=10_000) as served:
        yield served


@pytest.fixture
def url(server):
    return server[0]


def annotate(url, query, timeout=30, **options):
    return httpx.post(f"{url}/api/annotate", json=query, timeout=timeout, **options)


def same(found, expected):
    """Equal but for the last digits of scores, which depend on what a text is annotated together with."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return found == (pytest.approx(expected, abs=2e-4) if isinstance(expected, float) else expected)


def test_a_text_is_answered_as_the_pipeline_annotates_it(trained):
    expected = to_jsonl(trained(TEXT))
    assert expected["relations"] and expected["clusters"], "there is something to compare"
    with serving(trained) as url:
        answer = annotate(url, {"text": TEXT})
    assert answer.status_code == 200
    assert same(answer.json(), json.loads(json.dumps(expected)))
    Document.model_validate(answer.json())


def test_several_texts_are_answered_in_their_order(trained):
    expected = [json.loads(json.dumps(to_jsonl(trained(text)))) for text in TEXTS]
    with serving(trained) as url:
        answer = annotate(url, {"texts": TEXTS})
        none = annotate(url, {"texts": []})
    assert same(answer.json()["docs"], expected)
    Documents.model_validate(answer.json())
    assert none.json() == {"docs": []}


def test_an_empty_text_has_empty_layers(url):
    answer = annotate(url, {"text": ""})
    assert answer.status_code == 200
    assert answer.json()["text"] == "" and answer.json()["mentions"] == answer.json()["relations"] == []


def test_html_is_added_where_it_is_asked_for_and_escapes_the_text(url):
    text = "Ann <script>alert(1)</script> & Bob"
    (doc,) = annotate(url, {"texts": [text], "html": True}).json()["docs"]
    assert doc["text"] == text
    assert doc["html"].startswith('<div class="hmtl">')
    assert "<script" not in doc["html"] and "&lt;" in doc["html"] and "&amp;" in doc["html"]
    assert "html" not in annotate(url, {"text": text}).json()


REFUSED = [
    (b'{"text": "a"', 400, "Invalid JSON: EOF .* Send JSON in UTF-8"),
    (b"", 400, "Invalid JSON"),
    (b'{"text": "\xff"}', 400, "invalid unicode"),
    ('{"text": "a"}'.encode("utf-16"), 400, "Invalid JSON"),
    (b'{"text": "\\ud800"}', 400, "Invalid JSON"),
    (b"[" * 5_000 + b"]" * 5_000, 400, "recursion limit"),
    (b'{"text": ' + b"[" * 9_900, 400, "recursion limit"),
    (b"[]", 422, "should be an object"),
    (b'"text"', 422, "should be an object"),
    (b"{}", 422, "either 'text', a string, or 'texts'"),
    (b'{"text": "a", "texts": []}', 422, "either 'text', a string, or 'texts'"),
    (b'{"text": null}', 422, "at 'text': Input should be a valid string"),
    (b'{"text": 5}', 422, "at 'text': Input should be a valid string"),
    (b'{"texts": "a"}', 422, "at 'texts': Input should be a valid (list|array)"),
    (b'{"texts": ["a", 5]}', 422, "at 'texts.1': Input should be a valid string"),
    (b'{"text": "a", "html": "yes"}', 422, "at 'html': Input should be a valid boolean"),
    (b'{"txt": "a"}', 422, "at 'txt': Extra inputs"),
    (json.dumps({"text": "x" * 501}).encode(), 413, "a text of 501 characters, the limit is 500"),
    (json.dumps({"texts": ["a"] * 5}).encode(), 413, "Found 5 texts, the limit is 4"),
    (json.dumps({"text": "x" * 1_000_000}).encode(), 413, "longer than the limit of 10,000 bytes"),
]


@pytest.mark.parametrize("body, status, message", REFUSED)
def test_bad_input_is_refused_with_what_was_expected(server, body, status, message):
    url, watched = server
    watched.calls.clear()
    answer = httpx.post(f"{url}/api/annotate", content=body, headers=JSON, timeout=30)
    assert answer.status_code == status
    assert re.search(message, answer.json()["detail"]), answer.json()
    assert annotate(url, {"text": "good"}).status_code == 200, "the server goes on"
    assert watched.calls == [["good"]]


@pytest.mark.parametrize(
    "headers, status, message",
    [
        ({"Content-Type": "text/plain"}, 415, "'text/plain', expected 'application/json'"),
        ({}, 415, "content type '', expected 'application/json'"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "expected 'application/json'"),
        ({**JSON, "Content-Encoding": "gzip"}, 415, "content encoding 'gzip'"),
        ({"Content-Type": "Application/JSON; charset=utf-8"}, 200, ""),
    ],
)
def test_only_plain_json_is_taken(url, headers, status, message):
    answer = httpx.post(f"{url}/api/annotate", content=b'{"text": "a"}', headers=headers)
    assert answer.status_code == status
    assert message in answer.json().get("detail", "")


SLOW = {"emoji": "\U0001f600", "brackets": "(", "quotes": "'", "numbers": "1.", "addresses": "http://a.b/("}


@pytest.mark.parametrize("kind", SLOW)
def test_what_the_tokenizer_would_need_long_for_is_refused(trained, monkeypatch, kind):
    """It takes one character after the other off such a run, and looks at the whole rest each time."""
    watched = Watched(trained, monkeypatch)
    run = (SLOW[kind] * 10_000)[:1_001]
    with serving(trained) as url:
        for texts in (["a", f"a {run}\n"], ["a", run * 9]):
            answer = annotate(url, {"texts": texts})
            assert answer.status_code == 413
            assert "characters without white space, the limit is 1,000" in answer.json()["detail"]
        answer = annotate(url, {"texts": [f"{run[:1_000]} " * 7] * 3})
        assert answer.status_code == 413
        assert "21 runs of up to 1,000 characters" in answer.json()["detail"]
        assert watched.calls == []
        assert annotate(url, {"text": "Hull " * 5_000}).status_code == 200


@pytest.mark.parametrize("kind", SLOW)
def test_the_worst_that_is_allowed_is_tokenized_in_time(nlp, kind):
    limits = Limits()
    run = {"numbers": "(" * 500 + "1." * 250, "addresses": "http://a.b/" + ")" * 989}.get(
        kind, SLOW[kind] * 1_000
    )
    assert len(run) == limits.unbroken
    start = time.process_time()
    nlp.tokenizer(run)
    assert UNBROKEN_RUNS * (time.process_time() - start) < limits.seconds


def test_a_language_without_spaces_is_not_limited_by_them():
    with serving(spacy.blank("zh")) as url:
        answer = annotate(url, {"text": "\u6211" * 2_000})
    assert answer.status_code == 200 and len(answer.json()["tokens"]) == 2_000


HEAD = "POST /api/annotate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
LENGTH = "Content-Length: {}\r\n\r\n".format
CHUNKED = "Transfer-Encoding: chunked\r\n\r\n2ee0\r\n"


def send(url, request):
    """Send the beginning of a request. RETURNS: the connection."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(request.encode())
    return connection


def receive(connection, until=None):
    """What the server sends up to some bytes, or until it closes: one `recv` may hold any part of it."""
    answer = b""
    while until is None or until not in answer:
        part = connection.recv(10_000)  # fails after the connection's timeout
        if not part:
            break
        answer += part
    return answer


@pytest.mark.parametrize("request_", [LENGTH(100_000_000), CHUNKED + " " * 12_000], ids=["length", "chunked"])
def test_a_long_body_is_refused_before_it_has_come(url, request_):
    with send(url, HEAD + request_) as connection:
        assert receive(connection, until=b"\r\n").startswith(b"HTTP/1.1 413 ")


def test_a_request_that_doesnt_end_is_refused_in_time(trained):
    with serving(trained, seconds=0.3) as url, send(url, HEAD + LENGTH(100) + '{"text') as connection:
        assert receive(connection).startswith(b"HTTP/1.1 408 ")  # and it ended the connection


def is_closed(connection, trickle):
    """Whether the server ends a connection on which a little comes again and again."""
    connection.settimeout(0.1)
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            connection.sendall(trickle)
            if not connection.recv(1_000):
                return True
        except TimeoutError:
            pass
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize("begun", ["", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"], ids=["nothing", "headers"])
@pytest.mark.parametrize("trickle", [b"", b"X: y\r\n"], ids=["silent", "slow"])
def test_headers_that_dont_end_are_not_waited_for(trained, begun, trickle):
    with serving(trained, seconds=0.5) as url, send(url, begun) as connection:
        assert is_closed(connection, trickle if begun else trickle[:2])


def test_headers_of_a_second_request_are_not_waited_for(trained):
    whole = "GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with serving(trained, seconds=0.5) as url, send(url, whole) as connection:
        assert receive(connection, until=b"}").startswith(b"HTTP/1.1 200 ")
        connection.sendall(whole[:30].encode())
        assert is_closed(connection, b"X: y\r\n")


def test_a_client_that_never_reads_its_answer_is_not_waited_for():
    begun, done = Event(), Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            begun.set()
            for _ in range(100):  # more than the system keeps for both
                await send({"type": "http.response.body", "body": b" " * 1_000_000, "more_body": True})
            done.set()

    with running(app, Limits(seconds=0.3)) as url, send(url, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
        assert begun.wait(20) and done.wait(20)


def test_a_request_that_breaks_off_does_no_harm(url, capfd):
    send(url, HEAD + LENGTH(100) + '{"text').close()
    assert annotate(url, {"text": "good"}).status_code == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_request_that_takes_too_long_is_told_and_what_has_not_begun_is_dropped(trained, monkeypatch):
    watched = Watched(trained, monkeypatch)
    with serving(trained, seconds=0.3, together=5) as url:
        watched.hold()
        answer = annotate(url, {"texts": ["begun", "dropped"]})
        assert answer.status_code == 504
        assert "Not done within 0.3 seconds" in answer.json()["detail"]
        assert httpx.get(f"{url}/api/health").json() == {"status": "ok", "waiting": 0}
        watched.free.set()
        assert annotate(url, {"text": "after"}).status_code == 200
    assert watched.calls == [["begun"], ["after"]]


def ask(url, watched, queries):
    """Ask several queries at once, the first of which holds up the others until they all wait.

    RETURNS: The answers, and a function that lets the pipeline go on and waits for them.
    """
    answers = [None] * len(queries)

    def put(place):
        answers[place] = annotate(url, queries[place])

    watched.hold()
    threads = [Thread(target=put, args=[place]) for place in range(len(queries))]
    threads[0].start()
    assert watched.begun.wait(20)
    for thread in threads[1:]:
        thread.start()
    waiting = sum(len(query.get("texts", "1")) for query in queries[1:])
    while httpx.get(f"{url}/api/health").json()["waiting"] < waiting:
        time.sleep(0.01)

    def finish():
        watched.free.set()
        for thread in threads:
            thread.join(20)

    return answers, finish


def test_a_full_queue_is_told_with_when_to_come_back(trained, monkeypatch):
    watched = Watched(trained, monkeypatch)
    with serving(trained, texts=2, queue=2, seconds=10) as url:
        answers, finish = ask(url, watched, [{"text": "first"}, {"texts": ["a", "b"]}])
        refused = annotate(url, {"text": "c"})
        finish()
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "10"
    assert "2 texts are waiting, the limit is 2" in refused.json()["detail"]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_text_that_the_pipeline_fails_on_fails_its_own_request(trained, monkeypatch):
    watched = Watched(trained, monkeypatch)
    queries = [{"text": "first"}, {"text": "good"}, {"texts": ["fine", "boom"]}, {"texts": ["also good"]}]
    with serving(trained) as url:
        answers, finish = ask(url, watched, queries)
        finish()
    assert [answer.status_code for answer in answers] == [200, 200, 500, 200]
    assert answers[2].json()["detail"].startswith("The pipeline failed on text 2 of 2 with ValueError.")


def test_requests_that_wait_are_annotated_together(trained, monkeypatch):
    watched = Watched(trained, monkeypatch)
    texts = [f"text {i}" for i in range(20)]
    with serving(trained) as url:
        answers, finish = ask(url, watched, [{"text": text} for text in texts])
        finish()
    assert [answer.json()["text"] for answer in answers] == texts
    assert [len(call) for call in watched.calls] == [1, 19]


def test_health_and_version(url):
    assert httpx.get(f"{url}/api/health").json() == {"status": "ok", "waiting": 0}
    version = httpx.get(f"{url}/api/version").json()
    assert version["hmtl_spacy"] == __version__
    assert version["model"]["pipeline"] == ["sentencizer", "hmtl"]
    assert version["model"]["levels"] == ["ner", "mentions", "coref", "relations"]


def test_the_schema_describes_the_api_and_its_examples_work(url):
    schema = httpx.get(f"{url}/openapi.json").json()
    assert set(schema["paths"]) == {"/api/annotate", "/api/health", "/api/version"}
    post = schema["paths"]["/api/annotate"]["post"]
    assert set(post["responses"]) == {"200", "400", "408", "413", "415", "422", "500", "503", "504"}
    examples = post["requestBody"]["content"]["application/json"]["schema"]["examples"]
    assert [annotate(url, example).status_code for example in examples] == [200, 200]


def test_the_page_is_whole_and_lets_nothing_else_run(url):
    answer = httpx.get(url)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy
    assert not re.search(r'(src|href)="(?!/openapi\.json|data:,)', answer.text)
    assert "@import" not in answer.text and "url(" not in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert [httpx.get(f"{url}/{name}").status_code for name in ("docs", "redoc")] == [404, 404]


def test_a_models_name_is_text_on_the_page(trained):
    trained.meta["name"] = "<script>alert(1)</script>$limit{{ limit }}"
    with serving(trained) as url:
        page = httpx.get(url).text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;$limit{{ limit }}" in page


def test_other_host_names_are_refused(url):
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 400
    assert httpx.get(url, headers={"Host": "127.0.0.1:80"}).status_code == 200


@pytest.mark.parametrize(
    "limits, message",
    [
        ({"text": 0}, "the limit text=0: give a number above 0"),
        ({"seconds": -1.0}, "the limit seconds=-1.0: give a number above 0"),
        ({"unbroken": 0}, "the limit unbroken=0: give a number above 0"),
        ({"call": 0.0}, "the limit call=0.0: give a number above 0"),
        ({"seconds": 5.0, "call": 6.0}, "6 seconds for a call of the pipeline: a request has 5"),
        ({"queue": 10}, "a queue of 10 texts: a request may have 64"),
    ],
)
def test_limits_that_make_no_sense(limits, message):
    with pytest.raises(ValueError, match=message):
        Limits(**limits)


def test_texts_that_the_pipeline_would_refuse(nlp):
    nlp.max_length = 100
    with pytest.raises(ValueError, match="the pipeline's max_length is 100"):
        create_app(nlp)
