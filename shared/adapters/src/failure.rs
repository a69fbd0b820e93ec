//! What the SDKs' errors mean to the domain.

use std::error::Error;

use aws_sdk_sqs::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use flagpost_domain::ports::{PortError, PortResult};

/// The longest message of a service that is passed on.
const LONGEST_MESSAGE: usize = 300;

/// A failed call as the domain sees it.
pub(crate) fn port_error<E>(call: &'static str, error: &SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    match error.as_service_error() {
        Some(service) => {
            let code = service.code().unwrap_or("no error code");
            if status == Some(429) {
                throttled(call, code, service.message())
            } else {
                coded(call, code, service.message())
            }
        }
        None => PortError::Failed { call, reason: chain(error) },
    }
}

/// The error that a service names with `code`, of a whole call or of one entry.
pub(crate) fn coded(call: &'static str, code: &str, message: Option<&str>) -> PortError {
    if throttles(code) {
        throttled(call, code, message)
    } else {
        PortError::Failed { call, reason: reason(code, message) }
    }
}

/// The result of a conditional write: `None` if its condition did not hold.
pub(crate) fn conditional<T, E>(
    call: &'static str,
    result: Result<T, SdkError<E, HttpResponse>>,
) -> PortResult<Option<T>>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(port_error(call, &error)),
    }
}

fn throttled(call: &'static str, code: &str, message: Option<&str>) -> PortError {
    PortError::Throttled { call, reason: reason(code, message) }
}

/// Whether a service asks for fewer calls with this code. SQS prefixes its own in some protocols
/// (`AWS.SimpleQueueService.…`, `KMS.…`).
fn throttles(code: &str) -> bool {
    matches!(
        code.rsplit('.').next().unwrap_or(code),
        "BandwidthLimitExceeded"
            | "KmsThrottled"
            | "LimitExceededException"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "SlowDown"
            | "ThrottledException"
            | "Throttling"
            | "ThrottlingError"
            | "ThrottlingException"
            | "TooManyRequestsException"
            | "TransactionConflict"
            | "TransactionConflictException"
            | "TransactionInProgressException"
    )
}

fn reason(code: &str, message: Option<&str>) -> String {
    match message {
        Some(message) if !message.is_empty() => {
            let shown: String = message.chars().take(LONGEST_MESSAGE).collect();
            format!("{code}: {shown}")
        }
        _ => code.to_owned(),
    }
}

/// The SDK's own errors say little: what happened is in their sources.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
    use aws_sdk_s3::primitives::SdkBody;
    use aws_sdk_sqs::{error::ErrorMetadata, operation::send_message_batch::SendMessageBatchError};

    use super::*;

    const CALL: &str = "sqs:SendMessageBatch";

    fn answered(code: &str, status: u16) -> SdkError<SendMessageBatchError, HttpResponse> {
        let metadata = ErrorMetadata::builder().code(code).message("slow down").build();
        SdkError::service_error(
            SendMessageBatchError::generic(metadata),
            HttpResponse::new(status.try_into().unwrap(), SdkBody::empty()),
        )
    }

    #[test]
    fn throttling_is_told_apart_by_code_or_status() {
        for (code, status, throttled) in [
            ("RequestThrottled", 403, true),
            ("AWS.SimpleQueueService.RequestThrottled", 400, true),
            ("ThrottlingException", 400, true),
            ("ProvisionedThroughputExceededException", 400, true),
            ("SlowDown", 503, true),
            ("KMS.ThrottlingException", 400, true),
            ("Unheard", 429, true),
            ("InternalFailure", 500, false),
            ("ServiceUnavailable", 503, false),
            ("AccessDenied", 403, false),
        ] {
            let error = port_error(CALL, &answered(code, status));
            let reason = format!("{code}: slow down");
            let expected = if throttled {
                PortError::Throttled { call: CALL, reason }
            } else {
                PortError::Failed { call: CALL, reason }
            };
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn a_call_without_an_answer_tells_its_sources() {
        let error: SdkError<SendMessageBatchError, HttpResponse> =
            SdkError::timeout_error(std::io::Error::other("operation attempt timeout after 5s"));
        let PortError::Failed { call, reason } = port_error(CALL, &error) else {
            panic!("not throttled");
        };
        assert_eq!(call, CALL);
        assert_eq!(reason, "request has timed out: operation attempt timeout after 5s");
    }

    #[test]
    fn a_condition_that_does_not_hold_is_no_error() {
        let code = ErrorMetadata::builder().code("ConditionalCheckFailedException").build();
        let failed: Result<(), _> = Err(SdkError::service_error(
            UpdateItemError::generic(code),
            HttpResponse::new(400.try_into().unwrap(), SdkBody::empty()),
        ));
        assert_eq!(conditional("dynamodb:UpdateItem", failed), Ok(None));
    }

    #[test]
    fn long_messages_are_cut() {
        let PortError::Failed { reason, .. } = coded(CALL, "Odd", Some(&"x".repeat(5_000))) else {
            panic!("not throttled");
        };
        assert_eq!(reason.len(), "Odd: ".len() + LONGEST_MESSAGE);
    }
}
