"""Admin beside its lists: the door, rulings, steps on behalf, withholding, exports. Support rules and operates,
Finance decides about money, and neither does the other's."""

from marketplace.tests.doors import Door, read

TABLE = """
GET+POST admin:index                       -                      door door door door 200  door 200  200  door
GET+POST admin:login                       -                      in   403  403  403  302  prove 302  302  in
GET      admin:logout                      -                      302  302  302  302  405  302  405  405  302
POST     admin:logout                      -                      302  302  302  302  302  302  302  302  302
GET+POST admin:password_change             -                      door door door door 200  door 200  200  door
GET      admin:password_change_done        -                      door door door door 200  door 200  200  door
POST     admin:password_change_done        -                      door door door door 405  door 405  405  door
GET      admin:autocomplete                -                      door door door door 403  door 403  403  door
POST     admin:autocomplete                -                      door door door door 405  door 405  405  door
GET      admin:jsi18n                      -                      door door door door 200  door 200  200  door
POST     admin:jsi18n                      -                      door door door door 405  door 405  405  door
GET+POST admin:view_on_site                on-site                door door door door 302  door 403  302  door
GET+POST admin/(?P<url>.*)$                unknown                door door door door 404  door 404  404  door
GET      admin:payments_export             -                      door door door door 403  door 200  200  door
POST     admin:payments_export             -                      door door door door 403  door 422  422  door
GET      admin:payments_withdrawal_decide  asked-withdrawal       door door door door 403  door 200  200  door
POST     admin:payments_withdrawal_decide  asked-withdrawal       door door door door 403  door 302! 302! door
GET      admin:prove_ledger_now            -                      door door door door 405  door 405  405  door
POST     admin:prove_ledger_now            -                      door door door door 302! door 302! 302! door
GET+POST admin:auth_user_password_change   row                    door door door door 403  door 403  200  door
GET      admin:resolution_case_next        -                      door door door door 302  door 403  302  door
POST     admin:resolution_case_next        -                      door door door door 405  door 403  405  door
GET      admin:resolution_case_after       escalated              door door door door 302  door 403  302  door
POST     admin:resolution_case_after       escalated              door door door door 405  door 403  405  door
GET      admin:resolution_case_rule        escalated:complete     door door door door 200  door 403  200  door
POST     admin:resolution_case_rule        escalated:complete     door door door door 302! door 403  302! door
GET      admin:resolution_case_rule        escalated:split        door door door door 200  door 403  200  door
POST     admin:resolution_case_rule        escalated:split        door door door door 302! door 403  302! door
GET      admin:resolution_case_rule        ruled:dismiss          door door door door 200  door 403  200  door
POST     admin:resolution_case_rule        ruled:dismiss          door door door door 409  door 403  409  door
GET      admin:resolution_case_write       escalated              door door door door 405  door 403  405  door
POST     admin:resolution_case_write       escalated              door door door door 302! door 403  302! door
GET      admin:resolution_case_write       ruled                  door door door door 405  door 403  405  door
POST     admin:resolution_case_write       ruled                  door door door door 409  door 403  409  door
GET      admin:resolution_case_note        escalated              door door door door 405  door 403  405  door
POST     admin:resolution_case_note        escalated              door door door door 302! door 403  302! door
GET      admin:orders_order_rule           delivered:cancel_order door door door door 200  door 403  200  door
POST     admin:orders_order_rule           delivered:cancel_order door door door door 302! door 403  302! door
GET      admin:orders_order_rule           ended:cancel_order     door door door door 200  door 403  200  door
POST     admin:orders_order_rule           ended:cancel_order     door door door door 409  door 403  409  door
GET+POST admin:orders_order_rule           no-order:cancel_order  door door door door 404  door 403  404  door
GET      admin:orders_order_note           delivered              door door door door 405  door 403  405  door
POST     admin:orders_order_note           delivered              door door door door 302! door 403  302! door
GET      admin:orders_order_open_case      delivered              door door door door 200  door 403  200  door
POST     admin:orders_order_open_case      delivered              door door door door 302! door 403  302! door
GET      admin:orders_order_open_case      ended                  door door door door 200  door 403  200  door
POST     admin:orders_order_open_case      ended                  door door door door 409  door 403  409  door
GET      admin:orders_order_case_on_behalf operated:accept        door door door door 200  door 403  200  door
POST     admin:orders_order_case_on_behalf operated:accept        door door door door 302! door 403  302! door
GET+POST admin:orders_order_case_on_behalf other-case:accept      door door door door 404  door 403  404  door
GET      admin:orders_order_open_on_behalf on-behalf-refund       door door door door 200  door 403  200  door
POST     admin:orders_order_open_on_behalf on-behalf-refund       door door door door 302! door 403  302! door
GET      admin:orders_order_on_behalf      delivered:accept       door door door door 200  door 403  200  door
POST     admin:orders_order_on_behalf      delivered:accept       door door door door 302! door 403  302! door
GET+POST admin:orders_order_on_behalf      delivered:pay          door door door door 404  door 403  404  door
GET      admin:orders_order_on_behalf      ended:accept           door door door door 200  door 403  200  door
POST     admin:orders_order_on_behalf      ended:accept           door door door door 409  door 403  409  door
GET      admin:orders_order_withhold       picture                door door door door 200  door 403  200  door
POST     admin:orders_order_withhold       picture                door door door door 302! door 403  302! door
GET      admin:orders_order_withhold       withheld               door door door door 200  door 403  200  door
POST     admin:orders_order_withhold       withheld               door door door door 409  door 403  409  door
GET+POST admin:orders_order_withhold       other-file             door door door door 404  door 403  404  door
GET+POST admin:app_list                    -:payments             door door door door 200  door 200  200  door
GET+POST admin:app_list                    -:orders               door door door door 200  door 404  200  door
GET+POST admin:app_list                    -:resolution           door door door door 200  door 404  200  door
GET+POST admin:app_list                    -:auth                 door door door door 404  door 404  200  door
GET+POST admin:app_list                    -:accounts             door door door door 404  door 404  200  door
GET+POST admin:app_list                    -:marketplace          door door door door 200  door 200  200  door
GET+POST admin:app_list                    -:reviews              door door door door 200  door 404  200  door
GET+POST admin:app_list                    -:catalog              door door door door 200  door 404  200  door
GET+POST admin:app_list                    -:notifications        door door door door 404  door 404  200  door
GET+POST admin:app_list                    -:account              door door door door 404  door 404  200  door
"""

DOORS: list[Door] = list(read(TABLE))
