"""Purses, withdrawals, statements, receipts, and the pages that stand for the provider's."""

from marketplace.tests.doors import Door, read

TABLE = """
GET      earnings                      -             in   200  200  200  200  200  200  200  in
POST     earnings                      -             in   405  405  405  405  405  405  405  in
GET+POST finish_payment                attempt       in   404  302  404  404  404  404  404  in
GET      webhook                       provider      405  405  405  405  405  405  405  405  405
POST     webhook                       provider      400  400  400  400  400  400  400  400  400
GET      webhook                       no-provider   405  405  405  405  405  405  405  405  405
POST     webhook                       no-provider   404  404  404  404  404  404  404  404  404
GET      payments:cards                -             in   200  200  200  200  200  200  200  in
POST     payments:cards                -             405  405  405  405  405  405  405  405  405
GET      payments:forget_card          card          405  405  405  405  405  405  405  405  405
POST     payments:forget_card          card          in   404  302! 404  404  404  404  404  in
GET      payments:connect_bank         -             in   405  405  405  405  405  405  405  in
POST     payments:connect_bank         -             in   302! 302! 302! 302! prove 302! 302! in
GET      payments:withdraw             usd           in   200  200  200  200  prove 200  200  in
POST     payments:withdraw             usd           in   409  409  302! 409  prove 409  409  in
GET+POST payments:withdraw             no-currency   in   404  404  404  404  prove 404  404  in
GET      payments:cancel_withdrawal    withdrawal    in   404  404  200  404  404  404  404  in
POST     payments:cancel_withdrawal    withdrawal    in   404  404  302! 404  404  404  404  in
GET      payments:pay_debt             usd           in   200  200  200  200  200  200  200  in
POST     payments:pay_debt             usd           in   409  409  409  409  409  409  409  in
GET      payments:statements           -             in   200  200  200  200  200  200  200  in
POST     payments:statements           -             405  405  405  405  405  405  405  405  405
GET      payments:statement            usd           in   200  200  200  200  200  200  200  in
POST     payments:statement            usd           405  405  405  405  405  405  405  405  405
GET      payments:statement            no-currency   in   404  404  404  404  404  404  404  in
POST     payments:statement            no-currency   405  405  405  405  405  405  405  405  405
GET      payments:statement_as_pdf     usd           in   200  200  200  200  200  200  200  in
POST     payments:statement_as_pdf     usd           405  405  405  405  405  405  405  405  405
GET      payments:statement_csv        usd           in   200  200  200  200  200  200  200  in
POST     payments:statement_csv        usd           405  405  405  405  405  405  405  405  405
GET      payments:documents            -             in   200  200  200  200  200  200  200  in
POST     payments:documents            -             405  405  405  405  405  405  405  405  405
GET      payments:documents_csv        -             in   200  200  200  200  200  200  200  in
POST     payments:documents_csv        -             405  405  405  405  405  405  405  405  405
GET      payments:document             receipt       in   404  404  404  404  404  404  404  in
POST     payments:document             receipt       405  405  405  405  405  405  405  405  405
GET      payments:document_as_pdf      receipt       in   404  404  404  404  404  404  404  in
POST     payments:document_as_pdf      receipt       405  405  405  405  405  405  405  405  405
GET      payments:sandbox_authenticate bank-question 200  200  200  200  200  200  200  200  200
POST     payments:sandbox_authenticate bank-question 302! 302! 302! 302! 302! 302! 302! 302! 302!
GET      payments:sandbox_bank         bank-account  200  200  200  200  200  200  200  200  200
POST     payments:sandbox_bank         bank-account  302! 302! 302! 302! 302! 302! 302! 302! 302!
"""

DOORS: list[Door] = list(read(TABLE))
