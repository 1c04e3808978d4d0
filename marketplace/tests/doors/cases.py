"""Cases and reviews. Each answers the two sides of its order alone; support decides in admin."""

from marketplace.tests.doors import Door, read

TABLE = """
GET      resolution:open      delivered                  in   404  200  200  404  404  404  404  in
POST     resolution:open      delivered                  in   405  405  405  405  405  405  405  in
GET      resolution:open      ended                      in   404  200  200  404  404  404  404  in
POST     resolution:open      ended                      in   405  405  405  405  405  405  405  in
GET      resolution:open_kind delivered:cancel-milestone in   404  200  200  404  404  404  404  in
POST     resolution:open_kind delivered:cancel-milestone in   404  302! 422  404  404  404  404  in
GET      resolution:open_kind delivered:cancel-order     in   404  200  200  404  404  404  404  in
POST     resolution:open_kind delivered:cancel-order     in   404  302! 422  404  404  404  404  in
GET      resolution:open_kind delivered:partial-refund   in   404  200  200  404  404  404  404  in
POST     resolution:open_kind delivered:partial-refund   in   404  302! 422  404  404  404  404  in
GET      resolution:open_kind working:extend             in   404  200  200  404  404  404  404  in
POST     resolution:open_kind working:extend             in   404  409  422  404  404  404  404  in
GET      resolution:open_kind delivered:extra-revisions  in   404  200  200  404  404  404  404  in
POST     resolution:open_kind delivered:extra-revisions  in   404  422  409  404  404  404  404  in
GET      resolution:open_kind delivered:change-upcoming  in   404  200  200  404  404  404  404  in
POST     resolution:open_kind delivered:change-upcoming  in   404  422  422  404  404  404  404  in
GET+POST resolution:open_kind delivered:chargeback       in   404  404  404  404  404  404  404  in
GET      resolution:open_kind frozen:cancel-order        in   404  200  200  404  404  404  404  in
POST     resolution:open_kind frozen:cancel-order        in   404  409  409  404  404  404  404  in
GET      resolution:open_kind ended:cancel-order         in   404  200  200  404  404  404  404  in
POST     resolution:open_kind ended:cancel-order         in   404  409  409  404  404  404  404  in
GET      reviews:review       ended                      in   404  200  200  404  404  404  404  in
POST     reviews:review       ended                      in   404  409  409  404  404  404  404  in
GET      reviews:review       delivered                  in   404  200  200  404  404  404  404  in
POST     reviews:review       delivered                  in   404  409  409  404  404  404  404  in
GET      resolution:case      open-case                  in   404  200  200  404  404  404  404  in
POST     resolution:case      open-case                  in   405  405  405  405  405  405  405  in
GET      resolution:case      proposal                   in   404  200  200  404  404  404  404  in
POST     resolution:case      proposal                   in   405  405  405  405  405  405  405  in
GET      resolution:case      escalated                  in   404  200  200  404  404  404  404  in
POST     resolution:case      escalated                  in   405  405  405  405  405  405  405  in
GET      resolution:case      ruled                      in   404  200  200  404  404  404  404  in
POST     resolution:case      ruled                      in   405  405  405  405  405  405  405  in
GET      resolution:accept    open-case                  in   405  405  405  405  405  405  405  in
POST     resolution:accept    open-case                  in   404  403  302! 404  404  404  404  in
GET      resolution:accept    proposal                   in   405  405  405  405  405  405  405  in
POST     resolution:accept    proposal                   in   404  302! 403  404  404  404  404  in
GET      resolution:accept    escalated                  in   405  405  405  405  405  405  405  in
POST     resolution:accept    escalated                  in   404  403  409  404  404  404  404  in
GET      resolution:accept    ruled                      in   405  405  405  405  405  405  405  in
POST     resolution:accept    ruled                      in   404  403  409  404  404  404  404  in
GET      resolution:decline   open-case                  in   405  405  405  405  405  405  405  in
POST     resolution:decline   open-case                  in   404  403  302! 404  404  404  404  in
GET      resolution:decline   proposal                   in   405  405  405  405  405  405  405  in
POST     resolution:decline   proposal                   in   404  302! 403  404  404  404  404  in
GET      resolution:decline   escalated                  in   405  405  405  405  405  405  405  in
POST     resolution:decline   escalated                  in   404  403  409  404  404  404  404  in
GET      resolution:decline   ruled                      in   405  405  405  405  405  405  405  in
POST     resolution:decline   ruled                      in   404  403  409  404  404  404  404  in
GET      resolution:withdraw  open-case                  in   405  405  405  405  405  405  405  in
POST     resolution:withdraw  open-case                  in   404  302! 403  404  404  404  404  in
GET      resolution:withdraw  proposal                   in   405  405  405  405  405  405  405  in
POST     resolution:withdraw  proposal                   in   404  403  302! 404  404  404  404  in
GET      resolution:withdraw  escalated                  in   405  405  405  405  405  405  405  in
POST     resolution:withdraw  escalated                  in   404  302! 403  404  404  404  404  in
GET      resolution:withdraw  ruled                      in   405  405  405  405  405  405  405  in
POST     resolution:withdraw  ruled                      in   404  409  403  404  404  404  404  in
GET      resolution:escalate  open-case                  in   405  405  405  405  405  405  405  in
POST     resolution:escalate  open-case                  in   404  409  403  404  404  404  404  in
GET      resolution:escalate  proposal                   in   405  405  405  405  405  405  405  in
POST     resolution:escalate  proposal                   in   404  403  409  404  404  404  404  in
GET      resolution:escalate  escalated                  in   405  405  405  405  405  405  405  in
POST     resolution:escalate  escalated                  in   404  409  403  404  404  404  404  in
GET      resolution:escalate  ruled                      in   405  405  405  405  405  405  405  in
POST     resolution:escalate  ruled                      in   404  409  403  404  404  404  404  in
GET      resolution:write     open-case                  in   405  405  405  405  405  405  405  in
POST     resolution:write     open-case                  in   404  302! 302! 404  404  404  404  in
GET      resolution:write     proposal                   in   405  405  405  405  405  405  405  in
POST     resolution:write     proposal                   in   404  302! 302! 404  404  404  404  in
GET      resolution:write     escalated                  in   405  405  405  405  405  405  405  in
POST     resolution:write     escalated                  in   404  302! 302! 404  404  404  404  in
GET      resolution:write     ruled                      in   405  405  405  405  405  405  405  in
POST     resolution:write     ruled                      in   404  409  409  404  404  404  404  in
"""

DOORS: list[Door] = list(read(TABLE))
