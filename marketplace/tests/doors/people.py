"""Sign-in, profiles, second factors and notices."""

from marketplace.tests.doors import Door, read

TABLE = """
GET      accounts:profile                     -            in   200  200  200  200  200  200  200  in
POST     accounts:profile                     -            in   302! 302! 302! 302! 302! 302! 302! in
GET      accounts:sign_out_everywhere         -            405  405  405  405  405  405  405  405  405
POST     accounts:sign_out_everywhere         -            in   302! 302! 302! 302! 302! 302! 302! in
GET      accounts:devices                     -            in   200  200  200  200  200  200  200  in
POST     accounts:devices                     -            in   302  302  302  302  302  302  302  in
GET      your_data                            -            in   200  200  200  200  200  200  200  in
POST     your_data                            -            in   405  405  405  405  405  405  405  in
GET      download_your_data                   -            in   405  405  405  405  405  405  405  in
POST     download_your_data                   -            in   200  200  200  200  prove 200  200  in
GET      close_account                        -            in   200  200  200  200  prove 200  200  in
POST     close_account                        -            in   422  409  409  409  prove 409  409  in
GET      accounts:choose_language             -            405  405  405  405  405  405  405  405  405
POST     accounts:choose_language             -            302  302! 302! 302! 302! 302! 302! 302! 302
GET+POST accounts/2fa/totp/activate/          -            in   prove code prove prove prove prove prove in
GET+POST account_login                        -            200  302  302  302  302  302  302  302  200
GET      account_logout                       -            302  200  200  200  200  200  200  200  302
POST     account_logout                       -            302  302  302  302  302  302  302  302  302
GET      account_inactive                     -            200  200  200  200  200  200  200  200  200
POST     account_inactive                     -            405  405  405  405  405  405  405  405  405
GET+POST account_signup                       -            200  302  302  302  302  302  302  302  200
GET+POST account_reauthenticate               -            in   200  200  200  prove prove prove prove in
GET      account_email                        -            in   200  200  200  200  200  200  200  in
POST     account_email                        -            in   302  302  302  302  302  302  302  in
GET      account_email_verification_sent      -            200  200  200  200  200  200  200  200  200
POST     account_email_verification_sent      -            405  405  405  405  405  405  405  405  405
GET+POST account_change_password              -            in   200  200  200  200  200  200  200  in
GET+POST account_set_password                 -            in   302  302  302  302  302  302  302  in
GET+POST account_reset_password               -            200  200  200  200  200  200  200  200  200
GET+POST account_confirm_login_code           -            in   302  302  302  302  302  302  302  in
GET      account_confirm_email                confirmation 200  200  200  200  200  200  200  200  200
POST     account_confirm_email                confirmation in!  in!  302! 302! in!  in!  in!  in!  in!
GET      account_confirm_email                no-key       200  200  200  200  200  200  200  200  200
POST     account_confirm_email                no-key       404  404  404  404  404  404  404  404  404
GET      account_reset_password_from_key_done -            200  200  200  200  200  200  200  200  200
POST     account_reset_password_from_key_done -            405  405  405  405  405  405  405  405  405
GET+POST account_reset_password_from_key      reset        200  200  200  200  200  200  200  200  200
GET+POST account_reset_password_from_key      no-key       200  200  200  200  200  200  200  200  200
GET      account_reset_password_done          -            200  200  200  200  200  200  200  200  200
POST     account_reset_password_done          -            405  405  405  405  405  405  405  405  405
GET      mfa_index                            -            in   200  200  200  200  200  200  200  in
POST     mfa_index                            -            in   405  405  405  405  405  405  405  in
GET+POST mfa_authenticate                     -            in   302  302  302  302  302  302  302  in
GET+POST mfa_reauthenticate                   -            in   prove prove prove 200  200  200  200  in
GET+POST mfa_activate_totp                    -            in   prove code prove prove prove prove prove in
GET+POST mfa_deactivate_totp                  -            in   404  404  404  prove prove prove prove in
GET      mfa_view_recovery_codes              -            in   404  404  404  404  404  404  404  in
POST     mfa_view_recovery_codes              -            in   405  405  405  405  405  405  405  in
GET+POST mfa_generate_recovery_codes          -            in   prove prove prove prove prove prove prove in
GET+POST mfa_download_recovery_codes          -            in   404  404  404  404  404  404  404  in
GET      notifications:list                   -            in   200  200  200  200  200  200  200  in
POST     notifications:list                   -            405  405  405  405  405  405  405  405  405
GET      notifications:read_all               -            405  405  405  405  405  405  405  405  405
POST     notifications:read_all               -            in   302  302! 302! 302  302  302  302  in
GET      notifications:read                   notice       405  405  405  405  405  405  405  405  405
POST     notifications:read                   notice       in   404  302! 404  404  404  404  404  in
GET      notifications:preferences            -            in   200  200  200  200  200  200  200  in
POST     notifications:preferences            -            in   422  422  422  422  422  422  422  in
GET      notifications:calendar               -            405  405  405  405  405  405  405  405  405
POST     notifications:calendar               -            in   302! 302! 302! 302! 302! 302! 302! in
GET      notifications:stop                   stop         200  200  200  200  200  200  200  200  200
POST     notifications:stop                   stop         200! 200! 200! 200! 200! 200! 200! 200! 200!
GET+POST notifications:stop                   no-token     404  404  404  404  404  404  404  404  404
"""

DOORS: list[Door] = list(read(TABLE))
