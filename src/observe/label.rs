//! The few words that a label may have.

use serde_json::Value;

use crate::event::{Event, What};

/// Of a refusal: the endpoint, and the reason as events spell it, such as `code_dead.expired`.
pub(super) fn refusal(event: &Event) -> Option<(String, String)> {
    let What::Refused(refusal) = &event.what else { return None };
    let Value::Object(members) = serde_json::to_value(refusal).ok()? else { return None };
    let endpoint = members.get("endpoint")?.as_str()?.to_owned();
    let mut reason = String::new();
    words(members.get("reason")?, &mut reason);
    Some((endpoint, reason))
}

/// The name of a value of an enum of ours that holds no other.
#[cfg(feature = "metrics")]
pub(super) fn name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => "other".to_owned(),
    }
}

/// The names of the variants, from outside in. What they hold (a number of seconds, whether a header was used) would
/// make many labels of one, and is left out.
fn words(value: &Value, out: &mut String) {
    match value {
        Value::String(word) => push(out, word),
        Value::Object(members) => {
            if let Some(reason) = members.get("reason") {
                words(reason, out);
            } else if let Some((name, inner)) = members.iter().next()
                && !inner.is_number()
                && !inner.is_boolean()
            {
                push(out, name);
                words(inner, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
    }
}

fn push(out: &mut String, word: &str) {
    if !out.is_empty() {
        out.push('.');
    }
    out.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::event::Refusal;
    use crate::refusal::{ClientError, Dead, RequestError, TokenError};

    #[test]
    fn a_reason_is_the_names_of_its_variants_and_nothing_that_varies() {
        for (error, expected) in [
            (TokenError::DevicePending, "device_pending"),
            (TokenError::CodeDead(Dead::Expired), "code_dead.expired"),
            (TokenError::Client(ClientError::WrongSecret { header: true }), "client.wrong_secret"),
            (TokenError::ParameterMissing("code"), "parameter_missing.code"),
            (TokenError::Request(RequestError::RateLimited { retry_after: 7 }), "request.rate_limited"),
        ] {
            let event = Event::new(Timestamp::from_secs(0), What::Refused(Refusal::Token(error)));
            assert_eq!(refusal(&event), Some(("token".into(), expected.into())));
        }
    }
}
