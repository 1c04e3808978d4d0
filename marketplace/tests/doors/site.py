"""What everybody finds: home, gigs, sellers, how to order, maps and feeds, health."""

from marketplace.tests.doors import Door, read

TABLE = """
GET      home                -        200  200  200  200  200  200  200  200  200
POST     home                -        405  405  405  405  405  405  405  405  405
GET      help                -        200  200  200  200  200  200  200  200  200
POST     help                -        405  405  405  405  405  405  405  405  405
GET      bought              -        in   200  200  200  200  200  200  200  in
POST     bought              -        in   405  405  405  405  405  405  405  in
GET      sold                -        in   200  200  200  200  200  200  200  in
POST     sold                -        in   405  405  405  405  405  405  405  in
GET      selling             -        in   200  200  200  200  200  200  200  in
POST     selling             -        in   405  405  405  405  405  405  405  in
GET      calendar_feed       feed     200  200  200  200  200  200  200  200  404
POST     calendar_feed       feed     405  405  405  405  405  405  405  405  405
GET      calendar_feed       no-token 404  404  404  404  404  404  404  404  404
POST     calendar_feed       no-token 405  405  405  405  405  405  405  405  405
GET      robots              -        200  200  200  200  200  200  200  200  200
POST     robots              -        405  405  405  405  405  405  405  405  405
GET+POST sitemap             -        200  200  200  200  200  200  200  200  200
GET+POST sitemap_of          -:gigs   200  200  200  200  200  200  200  200  200
GET+POST sitemap_of          -:users  404  404  404  404  404  404  404  404  404
GET      healthz             -        200  200  200  200  200  200  200  200  200
POST     healthz             -        405  405  405  405  405  405  405  405  405
GET      readyz              -        200  200  200  200  200  200  200  200  200
POST     readyz              -        405  405  405  405  405  405  405  405  405
GET      catalog:browse      -        200  200  200  200  200  200  200  200  200
POST     catalog:browse      -        405  405  405  405  405  405  405  405  405
GET      catalog:suggestions -        200  200  200  200  200  200  200  200  200
POST     catalog:suggestions -        405  405  405  405  405  405  405  405  405
GET      catalog:gig         gig      200  200  200  200  200  200  200  200  200
POST     catalog:gig         gig      405  405  405  405  405  405  405  405  405
GET      catalog:gig         draft    404  404  404  200  404  404  404  404  404
POST     catalog:gig         draft    405  405  405  405  405  405  405  405  405
GET      catalog:gig         paused   404  404  404  200  404  404  404  404  404
POST     catalog:gig         paused   405  405  405  405  405  405  405  405  405
GET      catalog:gig         archived 404  404  404  200  404  404  404  404  404
POST     catalog:gig         archived 405  405  405  405  405  405  405  405  405
GET      catalog:seller      gig      200  200  200  200  200  200  200  200  200
POST     catalog:seller      gig      405  405  405  405  405  405  405  405  405
GET      catalog:cover       gig      200  200  200  200  200  200  200  200  200
POST     catalog:cover       gig      405  405  405  405  405  405  405  405  405
GET      catalog:my_gigs     -        in   200  200  200  200  200  200  200  in
POST     catalog:my_gigs     -        405  405  405  405  405  405  405  405  405
GET+POST catalog:new_gig     -        in   200  200  200  200  200  200  200  in
GET+POST catalog:edit_gig    gig      in   404  404  200  404  404  404  404  in
GET+POST catalog:edit_gig    draft    in   404  404  200  404  404  404  404  in
GET+POST catalog:edit_gig    archived in   404  404  302  404  404  404  404  in
GET      catalog:publish     gig      405  405  405  405  405  405  405  405  405
POST     catalog:publish     gig      in   404  404  302  404  404  404  404  in
GET      catalog:publish     draft    405  405  405  405  405  405  405  405  405
POST     catalog:publish     draft    in   404  404  302! 404  404  404  404  in
GET      catalog:publish     paused   405  405  405  405  405  405  405  405  405
POST     catalog:publish     paused   in   404  404  302! 404  404  404  404  in
GET      catalog:publish     archived 405  405  405  405  405  405  405  405  405
POST     catalog:publish     archived in   404  404  302  404  404  404  404  in
GET      catalog:pause       gig      405  405  405  405  405  405  405  405  405
POST     catalog:pause       gig      in   404  404  302! 404  404  404  404  in
GET      catalog:pause       draft    405  405  405  405  405  405  405  405  405
POST     catalog:pause       draft    in   404  404  302  404  404  404  404  in
GET      catalog:archive     gig      405  405  405  405  405  405  405  405  405
POST     catalog:archive     gig      in   404  404  302! 404  404  404  404  in
GET      catalog:archive     archived 405  405  405  405  405  405  405  405  405
POST     catalog:archive     archived in   404  404  302  404  404  404  404  in
GET      orders:order_gig    gig      in   200  200  403  200  200  200  200  in
POST     orders:order_gig    gig      in   422  422  403  422  422  422  422  in
GET+POST orders:order_gig    draft    in   404  404  404  404  404  404  404  in
GET+POST orders:order_gig    paused   in   404  404  404  404  404  404  404  in
GET+POST orders:order_gig    archived in   404  404  404  404  404  404  404  in
GET      orders:ask_offer    gig      in   200  200  200  200  200  200  200  in
POST     orders:ask_offer    gig      in   302! 302! 422  302! 302! 302! 302! in
GET+POST orders:ask_offer    draft    in   404  404  404  404  404  404  404  in
GET      orders:send_offer   -        in   200  200  200  200  200  200  200  in
POST     orders:send_offer   -        in   422  422  422  422  422  422  422  in
GET      orders:send_offer   request  in   404  404  200  404  404  404  404  in
POST     orders:send_offer   request  in   404  404  422  404  404  404  404  in
"""

DOORS: list[Door] = list(read(TABLE))
