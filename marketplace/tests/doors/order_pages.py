"""The page of an order, its parts, files and conversation. To strangers and to staff on the pages of the two
sides none of it exists; files alone are open to support with the second factor (O5)."""

from marketplace.tests.doors import Door, read

TABLE = """
GET  order               offered           in   404  200  200  404  404  404  404  in
POST order               offered           in   405  405  405  405  405  405  405  in
GET  order               delivered         in   404  200  200  404  404  404  404  in
POST order               delivered         in   405  405  405  405  405  405  405  in
GET  order               frozen            in   404  200  200  404  404  404  404  in
POST order               frozen            in   405  405  405  405  405  405  405  in
GET  order               ended             in   404  200  200  404  404  404  404  in
POST order               ended             in   405  405  405  405  405  405  405  in
GET  order               no-order          in   404  404  404  404  404  404  404  in
POST order               no-order          in   405  405  405  405  405  405  405  in
GET  order_changes       delivered         in   404  302  302  404  404  404  404  in
HX   order_changes       delivered         403  404  200  200  404  404  404  404  403
POST order_changes       delivered         405  405  405  405  405  405  405  405  405
GET  order_changes       ended             in   404  302  302  404  404  404  404  in
HX   order_changes       ended             403  404  286  286  404  404  404  404  403
POST order_changes       ended             405  405  405  405  405  405  405  405  405
GET  order_activity      delivered         in   404  302  302  404  404  404  404  in
HX   order_activity      delivered         403  404  200  200  404  404  404  404  403
POST order_activity      delivered         405  405  405  405  405  405  405  405  405
GET  calendar_order      delivered         in   404  200  200  404  404  404  404  in
POST calendar_order      delivered         in   405  405  405  405  405  405  405  in
GET  calendar_order      ended             in   404  404  404  404  404  404  404  in
POST calendar_order      ended             in   405  405  405  405  405  405  405  in
GET  orders:file         picture           in   404  200  200  200  404  404  200  in
POST orders:file         picture           in   405  405  405  405  405  405  405  in
GET  orders:file         pdf               in   404  200  200  200  404  404  200  in
POST orders:file         pdf               in   405  405  405  405  405  405  405  in
GET  orders:file         withheld          in   404  404  404  404  404  404  404  in
POST orders:file         withheld          in   405  405  405  405  405  405  405  in
GET  orders:file         evidence          in   404  200  200  200  404  404  200  in
POST orders:file         evidence          in   405  405  405  405  405  405  405  in
GET  orders:file         other-file        in   404  404  404  404  404  404  404  in
POST orders:file         other-file        in   405  405  405  405  405  405  405  in
GET  orders:view_file    picture           in   404  200  200  200  404  404  200  in
POST orders:view_file    picture           in   405  405  405  405  405  405  405  in
GET  orders:view_file    withheld          in   404  404  404  404  404  404  404  in
POST orders:view_file    withheld          in   405  405  405  405  405  405  405  in
GET  orders:view_file    other-file        in   404  404  404  404  404  404  404  in
POST orders:view_file    other-file        in   405  405  405  405  405  405  405  in
GET  orders:inline       pdf               in   404  200  200  200  404  404  200  in
POST orders:inline       pdf               in   405  405  405  405  405  405  405  in
GET  orders:inline       picture           in   404  404  404  404  404  404  404  in
POST orders:inline       picture           in   405  405  405  405  405  405  405  in
GET  orders:inline       other-file        in   404  404  404  404  404  404  404  in
POST orders:inline       other-file        in   405  405  405  405  405  405  405  in
GET  orders:thumbnail    picture           in   404  200  200  200  404  404  200  in
POST orders:thumbnail    picture           in   405  405  405  405  405  405  405  in
GET  orders:thumbnail    withheld          in   404  404  404  404  404  404  404  in
POST orders:thumbnail    withheld          in   405  405  405  405  405  405  405  in
GET  orders:thumbnail    other-file        in   404  404  404  404  404  404  404  in
POST orders:thumbnail    other-file        in   405  405  405  405  405  405  405  in
GET  orders:preview      picture           in   404  200  200  200  404  404  200  in
POST orders:preview      picture           in   405  405  405  405  405  405  405  in
GET  orders:preview      withheld          in   404  404  404  404  404  404  404  in
POST orders:preview      withheld          in   405  405  405  405  405  405  405  in
GET  orders:preview      other-file        in   404  404  404  404  404  404  404  in
POST orders:preview      other-file        in   405  405  405  405  405  405  405  in
GET  orders:compare      delivered         in   404  200  200  200  404  404  200  in
POST orders:compare      delivered         in   405  405  405  405  405  405  405  in
GET  orders:compare      other-milestone   in   404  404  404  404  404  404  404  in
POST orders:compare      other-milestone   in   405  405  405  405  405  405  405  in
GET  orders:would        delivered:accept  in   404  302  302  404  404  404  404  in
HX   orders:would        delivered:accept  403  404  200  403  404  404  404  404  403
POST orders:would        delivered:accept  405  405  405  405  405  405  405  405  405
GET  orders:would        delivered:deliver in   404  302  302  404  404  404  404  in
HX   orders:would        delivered:deliver 403  404  404  404  404  404  404  404  403
POST orders:would        delivered:deliver 405  405  405  405  405  405  405  405  405
GET  orders:would        delivered:nothing in   404  302  302  404  404  404  404  in
HX   orders:would        delivered:nothing 403  404  404  404  404  404  404  404  403
POST orders:would        delivered:nothing 405  405  405  405  405  405  405  405  405
GET  orders:would        ended:accept      in   404  302  302  404  404  404  404  in
HX   orders:would        ended:accept      403  404  200  403  404  404  404  404  403
POST orders:would        ended:accept      405  405  405  405  405  405  405  405  405
GET  orders:send_message delivered         in   405  405  405  405  405  405  405  in
POST orders:send_message delivered         in   404  302! 302! 404  404  404  404  in
GET  orders:send_message ended             in   405  405  405  405  405  405  405  in
POST orders:send_message ended             in   404  302! 302! 404  404  404  404  in
GET  orders:mark_read    delivered         in   405  405  405  405  405  405  405  in
POST orders:mark_read    delivered         in   404  302  302  404  404  404  404  in
"""

DOORS: list[Door] = list(read(TABLE))
