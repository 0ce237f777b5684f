//! The names of the metrics, and what is counted of an event.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use super::label;
use crate::event::{Event, What};

const ISSUED: &str = "grantor_tokens_issued_total";
const REFUSED: &str = "grantor_refusals_total";
const REVOKED: &str = "grantor_revocations_total";
const REPLAYED: &str = "grantor_replays_total";
const FAILED: &str = "grantor_failures_total";
const REQUESTS: &str = "grantor_requests_total";
const LATENCY: &str = "grantor_request_duration_seconds";
const CALLS: &str = "grantor_store_calls_total";
const CALL_LATENCY: &str = "grantor_store_call_duration_seconds";

/// Says what each is, to recorders that want to know. Once for each server that is built, which does no harm.
pub(super) fn describe() {
    describe_counter!(ISSUED, Unit::Count, "Token responses, by grant type");
    describe_counter!(REFUSED, Unit::Count, "Refusals, by endpoint and reason");
    describe_counter!(REVOKED, Unit::Count, "What ended before its time, by what it was and why");
    describe_counter!(REPLAYED, Unit::Count, "Codes and tokens that were presented again, by kind");
    describe_counter!(FAILED, Unit::Count, "What the server could not do, by why");
    describe_counter!(REQUESTS, Unit::Count, "Requests, by endpoint and outcome");
    describe_histogram!(LATENCY, Unit::Seconds, "How long requests take, by endpoint and outcome");
    describe_counter!(CALLS, Unit::Count, "Calls of the store, by operation and outcome");
    describe_histogram!(CALL_LATENCY, Unit::Seconds, "How long calls of the store take, by operation");
}

/// Counts an event.
pub(super) fn event(event: &Event) {
    match &event.what {
        What::Issued { grant_type, .. } => {
            counter!(ISSUED, "grant_type" => grant_type.clone().into_owned()).increment(1);
        }
        What::Refused(_) => {
            if let Some((endpoint, reason)) = label::refusal(event) {
                counter!(REFUSED, "endpoint" => endpoint, "reason" => reason).increment(1);
            }
        }
        What::Revoked { what, why } => {
            counter!(REVOKED, "what" => label::name(what), "why" => label::name(why)).increment(1);
        }
        What::Replayed { kind } => counter!(REPLAYED, "kind" => label::name(kind)).increment(1),
        What::Failed { failure } => counter!(FAILED, "failure" => label::name(failure)).increment(1),
        _ => {}
    }
}

/// Counts a request.
pub(super) fn request(endpoint: &'static str, outcome: &'static str, took: Duration) {
    counter!(REQUESTS, "endpoint" => endpoint, "outcome" => outcome).increment(1);
    histogram!(LATENCY, "endpoint" => endpoint, "outcome" => outcome).record(took.as_secs_f64());
}

/// Counts a call of the store.
pub(super) fn call(operation: &'static str, outcome: &'static str, took: Duration) {
    counter!(CALLS, "operation" => operation, "outcome" => outcome).increment(1);
    histogram!(CALL_LATENCY, "operation" => operation).record(took.as_secs_f64());
}
