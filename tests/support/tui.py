"""What tests of the text interface have in common.

    class Pages(Interface):
        def test_…(self):
            screen = self.open()
"""

import os
import sys
import unittest

try:
    from support.screen import Screen
except ImportError:
    print("python3-pyte is not installed")
    sys.exit(77)


class Interface(unittest.TestCase):
    world = None  # of the class: a support.world.World

    def start(self, *words, size=(24, 80), language="en_US.UTF-8", agent=False, prefix=(), **env):
        """The interface, of which nothing is awaited."""
        world = self.world
        argv = [*prefix, world.binary, *words, "tui"]
        if not agent:
            argv[-1:-1] = ["--identity-file", world.identity]
        screen = Screen(argv, world.env(LC_ALL=language, **env), size, cwd=world.home)
        self.addCleanup(screen.__exit__)
        return screen

    def open(self, size=(24, 80), language="en_US.UTF-8", **options):
        screen = self.start(size=size, language=language, **options)
        screen.wait(r"1 Clients")
        return screen

    def leave(self, screen):
        screen.type("q")
        self.assertEqual(screen.finish(), 0)
        self.assertTrue(screen.is_cooked())

    def entries(self, event):
        return [row for row in self.world.json("log")["log"] if row["event"] == event]

    def clipboard(self):
        """A clipboard program of our own: the file that it keeps, what runs it."""
        tools = os.path.join(self.world.home, "tools")
        clip = os.path.join(self.world.home, "clip")
        os.makedirs(tools, exist_ok=True)
        with open(os.path.join(tools, "xclip"), "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\ncase "$*" in *-in) cat >"$HOME/clip";; '
                       '*) cat "$HOME/clip";; esac\n')
        os.chmod(file.name, 0o755)
        return clip, {"DISPLAY": ":7", "PATH": tools + ":" + os.environ["PATH"],
                      "PASSATION_CLIP_TIME": "60"}
