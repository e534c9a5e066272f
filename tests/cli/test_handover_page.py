"""The pages of a handover are well-formed markup, hold no script, and tell their headings."""
import html.parser
import os
import subprocess
import sys

VOID = {"meta", "br"}
BUILD = sys.argv[1]


class Reader(html.parser.HTMLParser):
    """Keeps the open elements; fails on one that is closed out of its place."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.headings, self.titles, self.languages = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        assert tag not in ("script", "iframe", "img", "link", "form", "a"), tag
        assert not [name for name in attrs if name.startswith("on")], attrs
        if "lang" in attrs:
            self.languages.append(attrs["lang"])
        if tag == "h2":
            self.headings.append("")
        if tag == "h1":
            self.titles.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings[-1] += data
        if self.open and self.open[-1] == "h1":
            self.titles[-1] += data


def page(document, *more):
    env = dict(os.environ, LC_ALL="C", PASSATION_TEST_LOCALE=f"{BUILD}/locale")
    text = subprocess.run([f"{BUILD}/tests/handover_sample", document, "page", *more], env=env,
                          check=True, capture_output=True).stdout.decode()
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open, reader.open
    assert reader.languages == ["fr", "fr", "en"], reader.languages
    assert len(reader.titles) == 2, reader.titles
    return reader


def main():
    for more in ((), ("hostile",)):
        for document in ("pv", "final"):
            numbers = [heading.split(".")[0] for heading in page(document, *more).headings]
            assert numbers == 2 * [str(number) for number in range(1, 13)], numbers
        page("end", *more)


main()
