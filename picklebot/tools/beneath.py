"""Opening files beneath a folder, for rooms that keep files of their own.

Hands on what the tool process is built of, so that there is one way to open a path that somebody else wrote.
"""

from picklebot.toolhost.atomic import replace_file as replace_file
from picklebot.toolhost.contents import content_of as content_of
from picklebot.toolhost.contents import status_of as status_of
from picklebot.toolhost.guard import owner_refusal as owner_refusal
from picklebot.toolhost.paths import Tree as Tree
from picklebot.toolhost.wire import Failure as Failure
