"""What a page is in a headless Chromium: how wide on a telephone, how many sheets on paper."""

import html
import os
import re
import shutil
import subprocess
import tempfile

PHONE = 390  # CSS pixels
FOUND = shutil.which("chromium")


def _run(folder, *args):
    return subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu",
                           "--user-data-dir=" + os.path.join(folder, "chromium"), *args],
                          check=True, capture_output=True, text=True, timeout=120).stdout


def width_on_a_phone(page):
    """CSS pixels that the page takes on a screen of PHONE: more, and it is cut off. The page
    allows itself no script, so it is measured from outside."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "outside.html")
        with open(page) as inner, open(path, "w") as file:
            file.write(f'''<body><iframe style="width:{PHONE}px;height:844px;border:0"
                srcdoc="{html.escape(inner.read())}" onload="document.body.append('width=' +
                contentDocument.documentElement.scrollWidth)"></iframe>''')
        return int(re.search(r"width=(\d+)", _run(folder, "--dump-dom", "file://" + path)
                             .rsplit("</iframe>", 1)[1]).group(1))


def sheets_of_paper(page):
    with tempfile.TemporaryDirectory() as folder:
        pdf = os.path.join(folder, "page.pdf")
        _run(folder, "--no-pdf-header-footer", "--print-to-pdf=" + pdf, "file://" + page)
        with open(pdf, "rb") as file:
            return len(re.findall(rb"/Type\s*/Page\b", file.read()))
