//! From a route to the page's function.

use http::Response;

use super::{
    activity, apps, client, client_form, client_list, confirm, everything, people, secret_form, token_form, token_list,
};
use crate::console::route::Route;
use crate::console::stop::Stop;
use crate::console::visit::Visit;

/// Answers with the page, or does what its form asks for.
pub(in crate::console) async fn answer(visit: &Visit<'_>, route: Route) -> Result<Response<String>, Stop> {
    match route {
        Route::Home => visit.home().await,
        Route::Clients => client_list::show(visit).await,
        Route::NewClient => client_form::create(visit).await,
        Route::Client => client::show(visit).await,
        Route::EditClient => client_form::edit(visit).await,
        Route::NewSecret => secret_form::add(visit).await,
        Route::Activity => activity::show(visit).await,
        Route::People => people::find(visit).await,
        Route::Person => people::show(visit).await,
        Route::Apps => apps::show(visit).await,
        Route::Tokens => token_list::show(visit).await,
        Route::NewToken => token_form::create(visit).await,
        Route::EditToken => token_form::edit(visit).await,
        Route::Everything => everything::end(visit).await,
        Route::Confirm(act) => confirm::ask(visit, act).await,
    }
}
