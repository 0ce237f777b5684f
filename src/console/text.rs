//! Every word that the console shows, in one table; English and German beside each other, so that neither can lack one.

use std::borrow::Cow;

macro_rules! table {
    ($($name:ident: $english:literal, $german:literal;)*) => {
        /// All text of the console in one language.
        ///
        /// A host adds a language with [`Console::language`](super::Console::language), beginning with the one that is
        /// nearest:
        ///
        /// ```
        /// use grantor::console::Text;
        ///
        /// let text = Text { tag: "fr".into(), clients: "Clients de l’API".into(), ..Text::english() };
        /// ```
        ///
        /// Words in braces are replaced: leave them as they are, wherever in the sentence they belong.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Text {
            $(#[doc = concat!("English: `", $english, "`")] pub $name: Cow<'static, str>,)*
        }

        impl Text {
            /// In English.
            #[must_use]
            pub const fn english() -> Self {
                Self { $($name: Cow::Borrowed($english),)* }
            }

            /// In German.
            #[must_use]
            pub const fn german() -> Self {
                Self { $($name: Cow::Borrowed($german),)* }
            }

            #[cfg(test)]
            fn all(&self) -> Vec<(&'static str, &str)> {
                vec![$((stringify!($name), &*self.$name),)*]
            }
        }
    };
}

table! {
    tag: "en", "de";
    months: "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "Jan. Feb. März April Mai Juni Juli Aug. Sept. Okt. Nov. Dez.";
    date: "{day} {month} {year}", "{day}. {month} {year}";

    skip: "Skip to the content", "Zum Inhalt";
    sections: "Sections", "Bereiche";
    signed_in_as: "Signed in as", "Angemeldet als";
    sign_in: "Sign in", "Anmelden";
    cancel: "Cancel", "Abbrechen";
    back: "Back", "Zurück";
    copy: "Copy", "Kopieren";
    copied: "Copied", "Kopiert";
    edit: "Edit", "Bearbeiten";
    save: "Save changes", "Änderungen speichern";
    search: "Search", "Suchen";
    show: "Show", "Anzeigen";
    optional: "(optional)", "(freiwillig)";
    none: "None", "Keine";
    never: "Never", "Nie";
    not_yet: "Not yet", "Noch nicht";
    pages: "Pages", "Seiten";
    page_first: "First page", "Erste Seite";
    page_next: "Next page", "Nächste Seite";
    name: "Name", "Name";
    description: "Description", "Beschreibung";
    state: "State", "Zustand";
    active: "Active", "Aktiv";
    inactive: "Deactivated", "Deaktiviert";
    any_state: "Any", "Beliebig";
    created: "Created", "Erstellt";
    expires: "Expires", "Läuft ab";
    ended: "Ended", "Beendet";
    last_used: "Last used", "Zuletzt benutzt";
    since: "Since", "Seit";
    until: "Until", "Bis";
    label: "Label", "Bezeichnung";
    problems: "That cannot be saved yet:", "So lässt sich das noch nicht speichern:";

    clients: "API clients", "API-Clients";
    clients_lead: "Applications that may ask for access to this service, for their users or for themselves.", "Anwendungen, die Zugriff auf diesen Dienst verlangen dürfen, für ihre Nutzer oder für sich selbst.";
    clients_none: "No API clients yet", "Noch keine API-Clients";
    clients_none_lead: "Create one for each integration. It gets an identifier and a secret, with which it asks for access.", "Legen Sie für jede Anbindung einen an. Er bekommt eine Kennung und ein Geheimnis, mit denen er Zugriff verlangt.";
    clients_none_found: "Nothing found", "Nichts gefunden";
    clients_none_found_lead: "No API client has this in its name, begins its client ID with it, and is in that state.", "Kein API-Client dieses Zustands trägt dies im Namen oder am Anfang seiner Client-ID.";
    clients_show_all: "Show all API clients", "Alle API-Clients zeigen";
    search_hint: "Name, or beginning of the client ID", "Name oder Anfang der Client-ID";
    client_id: "Client ID", "Client-ID";
    client_secret: "Client secret", "Client-Geheimnis";
    client_new: "New API client", "Neuer API-Client";
    client_create: "Create and show credentials", "Anlegen und Zugangsdaten zeigen";
    client_edit: "Edit {name}", "{name} bearbeiten";
    client_made: "{name} was created", "{name} ist angelegt";
    client_secret_made: "{name} has a new secret", "{name} hat ein neues Geheimnis";
    client_open: "Open this API client", "Diesen API-Client öffnen";
    client_name_hint: "People see it when they are asked for consent.", "Menschen sehen ihn, wenn sie um Zustimmung gebeten werden.";
    secret_caution: "Copy the secret now and keep it safe. It is shown this once, and cannot be shown again.", "Kopieren Sie das Geheimnis jetzt und bewahren Sie es sicher auf. Es wird nur dieses eine Mal gezeigt und kann nicht noch einmal angezeigt werden.";
    no_secret: "There is no secret to show: this API client authenticates without one.", "Es gibt kein Geheimnis zu zeigen: Dieser API-Client weist sich ohne eines aus.";
    grants_label: "Ways to access", "Wege zum Zugriff";
    grant_code: "For people who sign in and agree", "Für Menschen, die sich anmelden und zustimmen";
    grant_code_hint: "Authorization code: needs at least one redirect URL.", "Autorisierungscode: braucht mindestens eine Weiterleitungs-URL.";
    grant_device: "For people, on devices without a browser", "Für Menschen, auf Geräten ohne Browser";
    grant_device_hint: "Device authorization: the device shows a code, which is typed in elsewhere.", "Geräteautorisierung: Das Gerät zeigt einen Code, der anderswo eingegeben wird.";
    grant_refresh: "And stay connected", "Und verbunden bleiben";
    grant_refresh_hint: "Refresh tokens: new access without asking again.", "Erneuerungstoken: neuer Zugriff, ohne noch einmal zu fragen.";
    grant_own: "For itself", "Für sich selbst";
    grant_own_hint: "Client credentials: no person is involved. Not for public clients.", "Client-Zugangsdaten: kein Mensch ist beteiligt. Nicht für öffentliche Clients.";
    redirect_uris: "Redirect URLs", "Weiterleitungs-URLs";
    redirect_uris_hint: "One a line, exactly as the application sends them. https, or http for this computer, or an app’s own scheme.", "Eine je Zeile, genau wie die Anwendung sie sendet. https, oder http für diesen Rechner, oder ein eigenes Schema einer App.";
    client_type: "Runs", "Läuft";
    type_web: "On a server", "Auf einem Server";
    type_web_hint: "A web application or a service.", "Eine Webanwendung oder ein Dienst.";
    type_native: "On people’s devices", "Auf den Geräten der Nutzer";
    type_native_hint: "A desktop, phone or command-line application. Any port of a loopback redirect URL fits.", "Eine Anwendung für Rechner, Telefon oder Kommandozeile. Bei Loopback-URLs passt jeder Port.";
    type_auto: "Told by its redirect URLs", "Ergibt sich aus den Weiterleitungs-URLs";
    auth_method: "Client authentication", "Client-Authentifizierung";
    auth_method_hint: "Applications that cannot keep a secret, such as those on people’s devices and in browsers, take “none”.", "Anwendungen, die kein Geheimnis bewahren können, etwa auf Geräten der Nutzer oder im Browser, nehmen „none“.";
    method_basic: "client_secret_basic – secret in the header", "client_secret_basic – Geheimnis im Header";
    method_post: "client_secret_post – secret in the body", "client_secret_post – Geheimnis im Rumpf";
    method_none: "none – public client, no secret", "none – öffentlicher Client, kein Geheimnis";
    pkce: "Require PKCE", "PKCE verlangen";
    pkce_hint: "As OAuth 2.1 does. Only leave it out for applications that cannot do it.", "Wie OAuth 2.1. Nur für Anwendungen weglassen, die es nicht können.";
    pkce_required: "Required", "Verlangt";
    pkce_free: "Not required", "Nicht verlangt";
    scopes: "Scopes", "Berechtigungen";
    scopes_hint: "What it may ask for. With none chosen, it gets what the server gives by default.", "Was er verlangen darf. Ohne Auswahl bekommt er, was der Server von sich aus gibt.";
    scopes_default: "The server’s default", "Was der Server von sich aus gibt";
    connection: "Connection", "Verbindung";
    registration: "Registration", "Registrierung";
    authorization_endpoint: "Authorization endpoint", "Autorisierungs-Endpunkt";
    token_endpoint: "Token endpoint", "Token-Endpunkt";
    revocation_endpoint: "Revocation endpoint", "Widerrufs-Endpunkt";
    metadata_url: "Server metadata", "Server-Metadaten";
    client_is_inactive: "This API client is deactivated. Whatever it asks for is refused, and all it was issued before has ended.", "Dieser API-Client ist deaktiviert. Was er verlangt, wird abgelehnt, und alles ihm früher Ausgestellte ist beendet.";

    secrets: "Secrets", "Geheimnisse";
    secrets_lead: "Each one works on its own. To replace one without interruption, add a new one before ending the old.", "Jedes gilt für sich. Um eines ohne Unterbrechung zu ersetzen, fügen Sie erst ein neues hinzu und beenden dann das alte.";
    secret_add: "Add a secret", "Geheimnis hinzufügen";
    secret_add_lead: "The other secrets of this API client go on working.", "Die anderen Geheimnisse dieses API-Clients gelten weiter.";
    secret_first: "Secret {number}", "Geheimnis {number}";
    label_hint: "Where it is used, for instance.", "Zum Beispiel, wo es benutzt wird.";
    secret_end: "End", "Beenden";
    secret_end_question: "End the secret “{name}”?", "Das Geheimnis „{name}“ beenden?";
    secret_end_text: "Whoever still uses it can no longer authenticate. Tokens that were issued go on until they expire.", "Wer es noch benutzt, kann sich nicht mehr ausweisen. Ausgestellte Token gelten weiter, bis sie ablaufen.";
    secret_end_yes: "Yes, please end this secret", "Ja, dieses Geheimnis beenden";
    secret_end_when: "When", "Wann";
    at_once: "At once", "Sofort";
    in_hour: "In an hour", "In einer Stunde";
    in_day: "In a day", "In einem Tag";
    in_week: "In a week", "In einer Woche";
    after_month: "After 30 days", "Nach 30 Tagen";
    after_quarter: "After 90 days", "Nach 90 Tagen";
    after_year: "After a year", "Nach einem Jahr";

    live_grants: "Sessions now", "Sitzungen jetzt";
    issued: "Tokens issued", "Ausgestellte Token";
    refused: "Refused", "Abgelehnt";
    in_month: "in 30 days", "in 30 Tagen";
    activity: "Activity", "Aktivität";
    activity_lead: "Tokens issued and requests refused, day by day.", "Ausgestellte Token und abgelehnte Anfragen, Tag für Tag.";
    activity_none: "Nothing has happened yet", "Noch ist nichts geschehen";
    activity_none_lead: "As soon as tokens are issued or requests refused, they are counted here.", "Sobald Token ausgestellt oder Anfragen abgelehnt werden, werden sie hier gezählt.";
    activity_summary: "{label}: {total} in 30 days, at most {most} on one day", "{label}: {total} in 30 Tagen, höchstens {most} an einem Tag";
    busiest: "Busiest API clients", "Die fleißigsten API-Clients";
    as_table: "Show as a table", "Als Tabelle zeigen";
    day: "Day", "Tag";
    day_count: "{day}: {count}", "{day}: {count}";

    people: "People", "Personen";
    people_lead: "Who has let this API client in.", "Wer diesen API-Client hereingelassen hat.";
    people_none: "Nobody has let it in at present.", "Zurzeit hat ihn niemand hereingelassen.";
    people_more: "Only the newest are shown.", "Nur die neuesten sind gezeigt.";
    person: "Person", "Person";
    person_title: "Access of {name}", "Zugriff von {name}";
    person_lead: "Which applications hold access to this account.", "Welche Anwendungen Zugriff auf dieses Konto haben.";
    people_find: "Find a person", "Eine Person finden";
    people_find_lead: "Shows which applications hold access to somebody’s account, and ends it.", "Zeigt, welche Anwendungen Zugriff auf ein Konto haben, und beendet ihn.";
    subject: "Account name, as tokens have it", "Kontoname, wie er in Token steht";
    end_access: "End access", "Zugriff beenden";

    deactivate: "Deactivate", "Deaktivieren";
    deactivate_text: "Access stops at once; the API client stays and can be activated again.", "Der Zugriff endet sofort; der API-Client bleibt und kann wieder aktiviert werden.";
    deactivate_question: "Deactivate {name}?", "{name} deaktivieren?";
    deactivate_more: "Everything it was issued stops working at once, for everybody who uses it. You can activate it again later; people then have to let it in anew.", "Alles, was ihm ausgestellt wurde, gilt sofort nicht mehr, für alle, die ihn benutzen. Sie können ihn später wieder aktivieren; dann muss er neu hereingelassen werden.";
    deactivate_yes: "Yes, please deactivate this API client", "Ja, diesen API-Client deaktivieren";
    deactivated: "The API client was deactivated. What it was issued no longer counts.", "Der API-Client ist deaktiviert. Was ihm ausgestellt wurde, gilt nicht mehr.";
    activate: "Activate", "Aktivieren";
    activate_text: "It may ask for access again. What ended stays ended.", "Er darf wieder Zugriff verlangen. Was beendet ist, bleibt beendet.";
    activate_question: "Activate {name}?", "{name} aktivieren?";
    activate_yes: "Yes, please activate this API client", "Ja, diesen API-Client aktivieren";
    activated: "The API client is active again.", "Der API-Client ist wieder aktiv.";
    revoke: "End all sessions", "Alle Sitzungen beenden";
    revoke_text: "Everything it was issued ends; it may begin anew at once.", "Alles ihm Ausgestellte endet; er darf sofort neu beginnen.";
    revoke_question: "End all sessions of {name}?", "Alle Sitzungen von {name} beenden?";
    revoke_more: "Every token it was issued stops working at once. It stays active: people who use it have to let it in anew.", "Jedes ihm ausgestellte Token gilt sofort nicht mehr. Er bleibt aktiv: Wer ihn benutzt, muss ihn neu hereinlassen.";
    revoke_yes: "Yes, please end all its sessions", "Ja, alle seine Sitzungen beenden";
    revoked: "All sessions of this API client have ended.", "Alle Sitzungen dieses API-Clients sind beendet.";
    delete: "Delete", "Löschen";
    delete_text: "For good. What it was issued stops working.", "Endgültig. Was ihm ausgestellt wurde, gilt nicht mehr.";
    delete_question: "Delete {name}?", "{name} löschen?";
    delete_more: "Everything it was issued stops working at once, and applications that use its client ID cannot connect any more. This cannot be undone; to stop access for a while, deactivate it instead.", "Alles ihm Ausgestellte gilt sofort nicht mehr, und Anwendungen mit seiner Client-ID können sich nicht mehr verbinden. Das lässt sich nicht rückgängig machen; um den Zugriff nur auszusetzen, deaktivieren Sie ihn.";
    delete_yes: "Yes, please delete this API client", "Ja, diesen API-Client löschen";
    deleted: "The API client was deleted.", "Der API-Client ist gelöscht.";
    saved: "The changes are saved.", "Die Änderungen sind gespeichert.";
    secret_ended: "The end of the secret is set.", "Das Ende des Geheimnisses ist festgelegt.";

    apps: "Connected apps", "Verbundene Apps";
    apps_lead: "Applications that you have let into your account, and where they are signed in.", "Anwendungen, die Sie in Ihr Konto gelassen haben, und wo sie angemeldet sind.";
    apps_none: "No connected apps", "Keine verbundenen Apps";
    apps_none_lead: "When an application asks for access to an account and it is granted, it appears here.", "Wenn eine Anwendung Zugriff auf ein Konto verlangt und bekommt, erscheint sie hier.";
    app_may: "It may", "Sie darf";
    app_kept: "Your agreement is kept until {day}.", "Ihre Zustimmung gilt bis {day}.";
    app_remove: "Remove access", "Zugriff entziehen";
    app_remove_question: "Remove the access of {name}?", "{name} den Zugriff entziehen?";
    app_remove_more: "It is signed out everywhere at once, and has to ask again.", "Sie wird überall sofort abgemeldet und muss neu fragen.";
    app_remove_yes: "Yes, please remove its access", "Ja, den Zugriff entziehen";
    app_removed: "The application has no access any more.", "Die Anwendung hat keinen Zugriff mehr.";
    sessions: "Signed in", "Angemeldet";
    sessions_none: "Not signed in anywhere at present.", "Zurzeit nirgends angemeldet.";
    session: "Unknown device", "Unbekanntes Gerät";
    session_end: "Sign out", "Abmelden";
    session_end_question: "Sign {name} out there?", "{name} dort abmelden?";
    session_end_more: "{device}\nSince {since}\n\nThe tokens of this session stop working at once. Other sessions go on.", "{device}\nSeit {since}\n\nDie Token dieser Sitzung gelten sofort nicht mehr. Andere Sitzungen bleiben.";
    session_end_yes: "Yes, please sign it out", "Ja, abmelden";
    session_ended: "The session has ended.", "Die Sitzung ist beendet.";
    device: "{browser} on {system}", "{browser} unter {system}";

    person_revoke: "End everything of this person", "Alles dieser Person beenden";
    person_revoke_text: "All their sessions and tokens, of all applications.", "Alle ihre Sitzungen und Token, aller Anwendungen.";
    person_revoke_question: "End all access to the account of {name}?", "Jeden Zugriff auf das Konto von {name} beenden?";
    person_revoke_more: "Every application that holds access to this account loses it at once, and personal access tokens end. The person can begin anew.", "Jede Anwendung mit Zugriff auf dieses Konto verliert ihn sofort, und persönliche Zugriffstoken enden. Die Person kann neu beginnen.";
    person_revoke_yes: "Yes, please end all access to this account", "Ja, jeden Zugriff auf dieses Konto beenden";
    person_revoked: "All access to this account has ended.", "Jeder Zugriff auf dieses Konto ist beendet.";

    everything: "End everything", "Alles beenden";
    everything_text: "All sessions and tokens of everybody, at every application. For the day on which nobody knows what has leaked.", "Alle Sitzungen und Token aller Personen bei jeder Anwendung. Für den Tag, an dem niemand weiß, was bekannt wurde.";
    everything_question: "End everything of everybody?", "Alles für alle beenden?";
    everything_more: "Every token that this server has issued stops working: all applications are signed out, and personal access tokens end. API clients and their secrets stay, and may begin anew at once.", "Jedes Token, das dieser Server ausgestellt hat, gilt nicht mehr: Alle Anwendungen werden abgemeldet, persönliche Zugriffstoken enden. API-Clients und ihre Geheimnisse bleiben und dürfen sofort neu beginnen.";
    everything_yes: "Yes, please end everything", "Ja, alles beenden";
    everything_progress: "Ending everything", "Alles wird beendet";
    everything_so_far: "{count} API clients are done.", "{count} API-Clients sind erledigt.";
    everything_keep_open: "Leave this page open: it goes on by itself. If it does not, press the button.", "Lassen Sie diese Seite offen: Sie geht von selbst weiter. Wenn nicht, drücken Sie den Knopf.";
    go_on: "Go on", "Weiter";
    everything_done: "Everything has ended", "Alles ist beendet";
    everything_done_text: "{count} API clients were gone through. No token that was issued before counts any more.", "{count} API-Clients sind durchgegangen. Kein früher ausgestelltes Token gilt noch.";

    tokens: "Access tokens", "Zugriffstoken";
    tokens_lead: "For scripts and programs of your own. A token acts in your name: treat it like a password.", "Für eigene Skripte und Programme. Ein Token handelt in Ihrem Namen: Behandeln Sie es wie ein Passwort.";
    tokens_none: "No access tokens", "Keine Zugriffstoken";
    tokens_none_lead: "Make one for each program, with no more scopes than it needs.", "Legen Sie für jedes Programm eines an, mit nicht mehr Berechtigungen, als es braucht.";
    token_new: "New access token", "Neues Zugriffstoken";
    token_create: "Create the token", "Token anlegen";
    token_name: "Token name", "Name des Tokens";
    token_name_hint: "What it is for. Each of your tokens has a name of its own.", "Wofür es ist. Jedes Ihrer Token hat einen eigenen Namen.";
    token_scopes: "What it may do", "Was es darf";
    days: "After {count} days", "Nach {count} Tagen";
    hours: "After {count} hours", "Nach {count} Stunden";
    token_made: "Created successfully", "Erfolgreich angelegt";
    token: "Access token", "Zugriffstoken";
    token_caution: "Copy the token now and keep it safe. It cannot be viewed again.", "Kopieren Sie das Token jetzt und bewahren Sie es sicher auf. Es kann nicht noch einmal angezeigt werden.";
    token_list: "Back to your tokens", "Zurück zu Ihren Token";
    token_edit: "Change what {name} may do", "Ändern, was {name} darf";
    token_edit_lead: "In force at once, for the token that is in use. Its name and its end stay.", "Gilt sofort, für das Token, das in Gebrauch ist. Name und Ende bleiben.";
    token_saved: "The scopes of the token are changed.", "Die Berechtigungen des Tokens sind geändert.";
    token_delete: "Delete", "Löschen";
    token_delete_question: "Delete the token {name}?", "Das Token {name} löschen?";
    token_delete_more: "Programs that use it lose access at once. This cannot be undone.", "Programme, die es benutzen, verlieren sofort den Zugriff. Das lässt sich nicht rückgängig machen.";
    token_delete_yes: "Revoke and delete this token", "Dieses Token widerrufen und löschen";
    token_deleted: "The token was revoked and deleted.", "Das Token ist widerrufen und gelöscht.";

    wrong_title: "That did not work", "Das hat nicht geklappt";
    wrong_not_found: "There is no such page, or what it was about is gone.", "Diese Seite gibt es nicht, oder was sie zeigte, ist fort.";
    not_found: "Not found", "Nicht gefunden";
    not_allowed: "Not allowed", "Nicht erlaubt";
    wrong_not_allowed: "Your account may not do this. Ask an administrator.", "Ihr Konto darf das nicht. Fragen Sie die Administration.";
    signed_out: "You are signed out", "Sie sind abgemeldet";
    wrong_signed_out: "Sign in, and try again. Nothing was changed.", "Melden Sie sich an und versuchen Sie es noch einmal. Nichts wurde geändert.";
    wrong_forged: "This form was not opened in this browser, or by somebody else. Nothing was changed.", "Dieses Formular wurde nicht in diesem Browser geöffnet, oder von jemand anderem. Nichts wurde geändert.";
    wrong_expired: "This page was open for too long. Open it again. Nothing was changed.", "Diese Seite war zu lange offen. Öffnen Sie sie neu. Nichts wurde geändert.";
    already_sent: "This was sent already", "Das ist schon abgeschickt";
    wrong_spent: "The form was sent before, and has done its work. Nothing was done twice. A secret that was shown then cannot be shown again.", "Das Formular wurde schon abgeschickt und hat gewirkt. Nichts geschah doppelt. Ein dabei gezeigtes Geheimnis kann nicht noch einmal gezeigt werden.";
    wrong_malformed: "The form cannot be read. Go back and try again.", "Das Formular ist nicht lesbar. Gehen Sie zurück und versuchen Sie es noch einmal.";
    wrong_too_long: "The form is too long.", "Das Formular ist zu lang.";
    wrong_later: "The server cannot answer now. Try again in a moment.", "Der Server kann gerade nicht antworten. Versuchen Sie es gleich noch einmal.";
    wrong_server: "The server met an unexpected condition.", "Der Server stieß auf einen unerwarteten Zustand.";

    bad_name: "Give it a name of at most 200 characters.", "Geben Sie einen Namen von höchstens 200 Zeichen an.";
    bad_token_name: "Give it a name of at most 100 characters.", "Geben Sie einen Namen von höchstens 100 Zeichen an.";
    bad_name_taken: "One of your tokens has this name already.", "Eines Ihrer Token heißt schon so.";
    bad_description: "The description may have 2,000 characters.", "Die Beschreibung darf 2.000 Zeichen haben.";
    bad_label: "A label may have 200 characters.", "Eine Bezeichnung darf 200 Zeichen haben.";
    bad_changed: "Somebody else changed this API client meanwhile. Your entries are kept: saving them now puts them in place of theirs.", "Jemand anders hat diesen API-Client inzwischen geändert. Ihre Eingaben sind noch da: Speichern setzt sie an die Stelle jener.";
    bad_redirect_missing: "People come back to the application at a redirect URL: add at least one.", "Menschen kehren über eine Weiterleitungs-URL zur Anwendung zurück: Geben Sie mindestens eine an.";
    bad_redirect_many: "Give at most 50 redirect URLs, each of them once.", "Geben Sie höchstens 50 Weiterleitungs-URLs an, jede einmal.";
    bad_redirect: "Redirect URL {line}: {reason}", "Weiterleitungs-URL {line}: {reason}";
    bad_uri_absolute: "it is not a whole URL of at most 2,048 characters, such as https://app.example/callback.", "Das ist keine vollständige URL von höchstens 2.048 Zeichen, wie https://app.example/callback.";
    bad_uri_fragment: "it must not have a # part.", "Sie darf keinen Teil nach # haben.";
    bad_uri_user: "it must not carry a user name.", "Sie darf keinen Benutzernamen tragen.";
    bad_uri_http: "http is only for this computer (127.0.0.1, localhost); use https.", "http ist nur für diesen Rechner (127.0.0.1, localhost); nehmen Sie https.";
    bad_uri_scheme: "this scheme cannot receive an answer.", "Dieses Schema kann keine Antwort empfangen.";
    bad_uri_dot: "an app’s own scheme must be a domain turned around, such as com.example.app.", "Ein eigenes Schema muss eine umgedrehte Domain sein, wie com.example.app.";
    bad_uri_path: "its path must not have . or .. in it.", "Ihr Pfad darf kein . oder .. enthalten.";
    bad_grants: "Choose at least one way to access.", "Wählen Sie mindestens einen Weg zum Zugriff.";
    bad_grants_refresh: "Staying connected needs people who sign in.", "Verbunden bleiben setzt Menschen voraus, die sich anmelden.";
    bad_public_pkce: "A public client (“none”) must require PKCE.", "Ein öffentlicher Client („none“) muss PKCE verlangen.";
    bad_public_own: "A public client (“none”) cannot act for itself: anybody could pretend to be it.", "Ein öffentlicher Client („none“) kann nicht für sich selbst handeln: Jeder könnte sich für ihn ausgeben.";
    bad_public: "A public client (“none”) cannot be what this one is.", "Ein öffentlicher Client („none“) kann nicht sein, was dieser ist.";
    bad_scope: "Choose scopes from the list.", "Wählen Sie Berechtigungen aus der Liste.";
    bad_scope_none: "Choose at least one scope.", "Wählen Sie mindestens eine Berechtigung.";
    bad_secrets: "A client may have at most 10 secrets. End one first.", "Ein Client darf höchstens 10 Geheimnisse haben. Beenden Sie erst eines.";
    bad_tokens: "You have as many tokens as you may have. Delete one first.", "Sie haben so viele Token wie erlaubt. Löschen Sie erst eines.";
    bad_expiry: "Choose an expiry from the list.", "Wählen Sie ein Ende aus der Liste.";
    bad_else: "This cannot be saved: {reason}", "Das lässt sich nicht speichern: {reason}";
}

/// `text` with `{name}` replaced by its value, for each of `values`. What a value holds is not looked at again.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(32));
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((value, after))
        });
        if let Some((value, after)) = known {
            out.push_str(value);
            rest = after;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The language that a browser asks for (RFC 9110 §12.5.4), of those there are; the first where it asks for none.
pub(super) fn choose<'t>(texts: &'t [Text], accept_language: &str) -> Option<&'t Text> {
    let mut wanted: Vec<(&str, f32)> = accept_language
        .split(',')
        .filter_map(|range| {
            let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
            let quality = rest.trim().strip_prefix("q=").map_or(Some(1.0), |quality| quality.parse().ok())?;
            (quality > 0.0).then(|| (tag.trim(), quality))
        })
        .take(20)
        .collect();
    wanted.sort_by(|(_, left), (_, right)| right.total_cmp(left));
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let find = |tag: &str| {
        let exact = texts.iter().find(|text| text.tag.eq_ignore_ascii_case(tag));
        exact.or_else(|| texts.iter().find(|text| primary(&text.tag) == primary(tag)))
    };
    wanted.iter().find_map(|(tag, _)| find(tag)).or_else(|| texts.first())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
    }

    #[test]
    fn every_language_has_the_same_words_in_braces_and_no_empty_text() {
        let (english, german) = (Text::english(), Text::german());
        for ((name, english), (_, german)) in english.all().into_iter().zip(german.all()) {
            assert_eq!(holes(english), holes(german), "{name}");
            assert!(!english.is_empty() && !german.is_empty(), "{name}");
        }
        for text in [english, german] {
            assert_eq!(text.months.split(' ').count(), 12);
        }
    }

    #[test]
    fn what_a_value_holds_is_not_filled_again() {
        assert_eq!(fill("{a} and {b} {c}", &[("a", "{b}"), ("b", "x")]), "{b} and x {c}");
        assert_eq!(fill("{", &[]), "{");
    }

    #[test]
    fn the_browser_chooses_the_language() {
        let texts = [Text::english(), Text::german()];
        let chosen = |header| &*choose(&texts, header).unwrap().tag;
        assert_eq!(chosen("de-AT,de;q=0.9,en;q=0.8"), "de");
        assert_eq!(chosen("fr,en;q=0.5,de;q=0.7"), "de");
        assert_eq!(chosen("de;q=0,en"), "en");
        for header in ["", "fr", "*", ";;,q=,", "de;q=x"] {
            assert_eq!(chosen(header), "en", "{header}");
        }
    }
}
