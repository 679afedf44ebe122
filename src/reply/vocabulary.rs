//! The words of the providers: finish reasons, error codes and messages, and what they mean.
//!
//! A row names whose word it is, and where it was read: the provider's documentation, its SDK with a
//! version, or a client that handles the word. All words are in lower case, and case does not matter.
//!
//! The module is long because it is nothing but tables.

use crate::delta::{ErrorKind, FinishReason};
use crate::reply::packed::packed;

packed!(pub(super) ERRORS: ErrorKind = ERRORS_ROWS);
packed!(pub(super) ERROR_PREFIX: ErrorKind = ERROR_PREFIX_ROWS);
packed!(pub(super) MESSAGES: ErrorKind = MESSAGES_ROWS);
packed!(pub(super) FINISH: FinishReason = FINISH_ROWS);
packed!(pub(super) FINISH_PREFIX: FinishReason = FINISH_PREFIX_ROWS);

/// Finish reasons in lower case.
const FINISH_ROWS: &[(&str, FinishReason)] = &[
    // Stop.
    // OpenAI, Gemini `STOP`, Mistral, Ollama, TGI-chat, vLLM, SGLang: openai 3.57.0
    // types/chat/chat_completion_chunk.py; google-genai 3.6.1 types.py.
    ("stop", FinishReason::Stop),
    // Together: together 3.1.1 types/chat/chat_completion_chunk.py; llama.cpp stop_type: llama.cpp
    // tools/server/server-task.cpp (in llama_cpp_python 0.3.36).
    ("eos", FinishReason::Stop),
    // llama.cpp stop_type: tools/server/server-task.cpp.
    ("word", FinishReason::Stop),
    // TGI: text-generation 0.7.0 types.py; watsonx: IBM/text-generation-inference
    // proto/generation.proto; recorded streams.
    ("eos_token", FinishReason::Stop),
    // Anthropic, Bedrock, TGI, Cohere v2, watsonx: anthropic 2.14.0 types/stop_reason.py; cohere
    // 7.3.1 types/chat_finish_reason.py.
    ("stop_sequence", FinishReason::Stop),
    // Anthropic, Bedrock Converse: anthropic 2.14.0 types/stop_reason.py; botocore 1.44.8
    // bedrock-runtime StopReason.
    ("end_turn", FinishReason::Stop),
    // Anthropic: anthropic 2.14.0 types/stop_reason.py. vercel/ai says stop
    // (map-anthropic-stop-reason.ts), litellm 1.110.2 says length.
    ("pause_turn", FinishReason::Stop),
    // Cohere v1 and v2: cohere 7.3.1 types/chat_finish_reason.py.
    ("complete", FinishReason::Stop),
    // OpenRouter native_finish_reason of a Responses upstream: recorded streams; Responses status:
    // its documentation.
    ("completed", FinishReason::Stop),
    // Bedrock Titan stream: recorded streams.
    ("finish", FinishReason::Stop),
    // Bedrock Titan completionReason.
    ("finished", FinishReason::Stop),
    // Bedrock Titan completionReason.
    ("stop_criteria_met", FinishReason::Stop),
    // Baidu ERNIE V1 finish_reason "normal".
    ("normal", FinishReason::Stop),
    // LM Studio stopReason: lmstudio 1.5.0 _sdk_models LlmPredictionStopReason.
    ("eosfound", FinishReason::Stop),
    // LM Studio: the same.
    ("stopstringfound", FinishReason::Stop),
    // Length.
    // OpenAI and its like, TGI, Ollama, Titan, SGLang: openai 3.57.0.
    ("length", FinishReason::Length),
    // Mistral: mistralai 3.7.0 models/chatcompletionchoice.py.
    ("model_length", FinishReason::Length),
    // Anthropic, Bedrock, Gemini, Cohere, watsonx: anthropic 2.14.0; google-genai 3.6.1; IBM
    // proto/generation.proto.
    ("max_tokens", FinishReason::Length),
    // Responses incomplete_details.reason: openai 3.57.0 responses/response.py; OpenRouter native:
    // recorded streams.
    ("max_output_tokens", FinishReason::Length),
    // Assistants incomplete_details: openai 3.57.0 beta/threads/run.py.
    ("max_prompt_tokens", FinishReason::Length),
    // Assistants: the same.
    ("max_completion_tokens", FinishReason::Length),
    // Anthropic: anthropic 2.14.0; Bedrock: botocore 1.44.8; Z.ai.
    ("model_context_window_exceeded", FinishReason::Length),
    // llama.cpp stop_type: tools/server/server-task.cpp.
    ("limit", FinishReason::Length),
    // watsonx "Total token limit reached": IBM/text-generation-inference proto/generation.proto.
    ("token_limit", FinishReason::Length),
    // Gemini "reached the per-request token limit, but generation is not yet complete":
    // google-genai 3.6.1 types.py.
    ("continuation", FinishReason::Length),
    // xAI gRPC: xai-sdk 1.21.0 proto/v6/sample_pb2.pyi (name only in the SDK; never in REST
    // recordings).
    ("reason_max_len", FinishReason::Length),
    // xAI gRPC: the same.
    ("reason_max_context", FinishReason::Length),
    // LM Studio: lmstudio 1.5.0.
    ("maxpredictedtokensreached", FinishReason::Length),
    // LM Studio: lmstudio 1.5.0.
    ("contextlengthreached", FinishReason::Length),
    // ToolCalls.
    // OpenAI and its like: openai 3.57.0.
    ("tool_calls", FinishReason::ToolCalls),
    // OpenAI legacy, Baidu ERNIE V1: openai 3.57.0.
    ("function_call", FinishReason::ToolCalls),
    // Anthropic, Bedrock Converse: anthropic 2.14.0; botocore 1.44.8.
    ("tool_use", FinishReason::ToolCalls),
    // Cohere v2: cohere 7.3.1.
    ("tool_call", FinishReason::ToolCalls),
    // LM Studio `toolCalls`: lmstudio 1.5.0.
    ("toolcalls", FinishReason::ToolCalls),
    // Assistants, Gemini Interactions: its documentation.
    ("requires_action", FinishReason::ToolCalls),
    // xAI gRPC: xai-sdk 1.21.0.
    ("reason_tool_calls", FinishReason::ToolCalls),
    // ContentFilter.
    // OpenAI, Azure, Cerebras, SGLang, Baidu: openai 3.57.0; sglang 0.5.23
    // entrypoints/openai/protocol.py.
    ("content_filter", FinishReason::ContentFilter),
    // Bedrock Converse, Titan: botocore 1.44.8.
    ("content_filtered", FinishReason::ContentFilter),
    // Bedrock Converse: botocore 1.44.8; recorded streams.
    ("guardrail_intervened", FinishReason::ContentFilter),
    // Anthropic: anthropic 2.14.0; recorded streams.
    ("refusal", FinishReason::ContentFilter),
    // Z.ai: a public bug report; Tencent Hunyuan. Tencent may send it in the middle of a reply.
    ("sensitive", FinishReason::ContentFilter),
    // Cohere v1: cohere 7.3.1 types/finish_reason.py; meaning: litellm 1.110.2 core_helpers.py.
    ("error_toxic", FinishReason::ContentFilter),
    // Gemini: google-genai 3.6.1 types.py FinishReason and those below.
    ("safety", FinishReason::ContentFilter),
    ("recitation", FinishReason::ContentFilter),
    ("blocklist", FinishReason::ContentFilter),
    ("prohibited_content", FinishReason::ContentFilter),
    ("spii", FinishReason::ContentFilter),
    ("image_safety", FinishReason::ContentFilter),
    ("image_prohibited_content", FinishReason::ContentFilter),
    ("image_recitation", FinishReason::ContentFilter),
    // "stopped for a reason not otherwise specified"; kept by the present rule `IMAGE_…`.
    ("image_other", FinishReason::ContentFilter),
    // "blocked by Model Armor" (Vertex); also a blockReason.
    ("model_armor", FinishReason::ContentFilter),
    // "Request was filtered by an escalation rule" (Gemini API only).
    ("escalation", FinishReason::ContentFilter),
    // Gemini blockReason: google-genai 3.6.1 types.py BlockedReason.
    ("jailbreak", FinishReason::ContentFilter),
    // Error.
    // OpenRouter, Mistral, Cohere, watsonx, Replicate: openrouter 1.3.84
    // components/finishreason.py; mistralai 3.7.0.
    ("error", FinishReason::Error),
    // LM Studio: lmstudio 1.5.0; Responses and Interactions status: its documentation.
    ("failed", FinishReason::Error),
    // Cohere: cohere 7.3.1.
    ("timeout", FinishReason::Error),
    // Z.ai:; litellm 1.110.2 core_helpers.py.
    ("network_error", FinishReason::Error),
    // DeepSeek: its documentation.
    ("insufficient_system_resource", FinishReason::Error),
    // SGLang: sglang 0.5.23 schedule_batch.py FINISH_ABORT (is_error, message, status_code,
    // err_type), protocol.py; vLLM v1: vllm-project/vllm vllm/v1/engine/__init__.py ("aborted for
    // another reason").
    ("abort", FinishReason::Error),
    // Gemini: google-genai 3.6.1 types.py and those below.
    ("malformed_function_call", FinishReason::Error),
    ("malformed_response", FinishReason::Error),
    ("unexpected_tool_call", FinishReason::Error),
    ("too_many_tool_calls", FinishReason::Error),
    ("missing_thought_signature", FinishReason::Error),
    // Bedrock Converse: botocore 1.44.8.
    ("malformed_model_output", FinishReason::Error),
    // Bedrock Converse: botocore 1.44.8.
    ("malformed_tool_use", FinishReason::Error),
    // Bedrock Titan:; clients differ: throws says stop.
    ("rag_query_when_rag_disabled", FinishReason::Error),
    // Other. These rows change nothing but say that the word is known.
    // Anthropic beta: anthropic 2.14.0 types/beta/beta_stop_reason.py.
    ("compaction", FinishReason::Other),
    // vLLM v1 "A repetitive token pattern was detected".
    ("repetition", FinishReason::Other),
    // Gemini: google-genai 3.6.1.
    ("language", FinishReason::Other),
    // Gemini.
    ("other", FinishReason::Other),
    // Gemini "was expected to generate an image, but didn't".
    ("no_image", FinishReason::Other),
    // Gemini.
    ("finish_reason_unspecified", FinishReason::Other),
    // Gemini: the account is limited or disabled.
    ("pup_limited_disabled", FinishReason::Other),
    // Responses incomplete_details: openai 3.57.0 responses/response.py.
    ("max_messages", FinishReason::Other),
    // Responses incomplete_details: the same.
    ("steered", FinishReason::Other),
    // Responses, watsonx: IBM proto/generation.proto.
    ("cancelled", FinishReason::Other),
    // Replicate.
    ("canceled", FinishReason::Other),
    // Cohere v1: cohere 7.3.1 types/finish_reason.py.
    ("user_cancel", FinishReason::Other),
    // watsonx: IBM proto/generation.proto.
    ("time_limit", FinishReason::Other),
    // xAI gRPC: xai-sdk 1.21.0.
    ("reason_time_limit", FinishReason::Other),
    // LM Studio: lmstudio 1.5.0.
    ("userstopped", FinishReason::Other),
    // LM Studio: lmstudio 1.5.0.
    ("modelunloaded", FinishReason::Other),
    // Ollama: its documentation.
    ("load", FinishReason::Other),
    // Ollama: the same.
    ("unload", FinishReason::Other),
];

/// Words that say that the reply goes on.
pub(super) const NOT_FINISHED: &[&str] = &[
    // watsonx: recorded streams; IBM proto/generation.proto NOT_FINISHED = 0.
    "not_finished",
    // DashScope native: a public bug report; dashscope 2.0.2 utils/message_utils.py (`finish_reason !=
    // "null"`).
    "null",
    // llama.cpp stop_type: tools/server/server-task.cpp.
    "none",
];

/// Beginnings of finish reasons that are in no other row.
const FINISH_PREFIX_ROWS: &[(&str, FinishReason)] = &[
    // Gemini and Bedrock: `MALFORMED_…`.
    ("malformed_", FinishReason::Error),
    // Gemini: `IMAGE_…`.
    ("image_", FinishReason::ContentFilter),
    // Gemini behind its OpenAI endpoint.
    ("function_call_filter", FinishReason::Error),
];

/// Codes, types, statuses and names of exceptions in lower case.
const ERRORS_ROWS: &[(&str, ErrorKind)] = &[
    // --- Authentication.
    // OpenAI; DashScope alias of InvalidApiKey:; StepFun type: api-evangelist/stepfun.
    ("invalid_api_key", ErrorKind::Authentication),
    // DashScope 401.
    ("invalidapikey", ErrorKind::Authentication),
    // DashScope 401 "NOT AUTHORIZED".
    ("not authorized", ErrorKind::Authentication),
    // Anthropic: anthropic 2.14.0; llama.cpp tools/server/server-common.cpp.
    ("authentication_error", ErrorKind::Authentication),
    // OpenRouter error_type: openrouter 1.3.84 components/apierrortype.py; Gemini Interactions
    // code: ai.google.dev/gemini-api/docs/api-errors.
    ("authentication", ErrorKind::Authentication),
    // Volcengine Ark 401: volcengine.com/docs/82379/1299023.
    ("authenticationerror", ErrorKind::Authentication),
    ("invalid_authentication", ErrorKind::Authentication),
    // Moonshot.
    ("invalid_authentication_error", ErrorKind::Authentication),
    // Moonshot.
    ("incorrect_api_key_error", ErrorKind::Authentication),
    // google.rpc.Code; Databricks: databricks/databricks-sdk-py errors/platform.py.
    ("unauthenticated", ErrorKind::Authentication),
    // Ark type "Unauthorized": volcengine.com/docs/82379/1299023.
    ("unauthorized", ErrorKind::Authentication),
    ("expiredtokenexception", ErrorKind::Authentication),
    ("unrecognizedclientexception", ErrorKind::Authentication),
    // Google ErrorInfo.reason: googleapis/googleapis google/api/error_reason.proto.
    ("api_key_invalid", ErrorKind::Authentication),
    // Google ErrorInfo.reason: the same.
    ("access_token_expired", ErrorKind::Authentication),
    // watsonx.
    ("authentication_token_expired", ErrorKind::Authentication),
    // watsonx.
    ("authentication_token_not_valid", ErrorKind::Authentication),
    // OpenAI 401:; developers.openai.com/api/docs/guides/error-codes ("401 - IP not authorized").
    ("ip_not_authorized", ErrorKind::Authentication),
    // --- Permission (the key may not do this, or the account has no credit).
    // Anthropic; llama.cpp.
    ("permission_error", ErrorKind::Permission),
    // google.rpc.Code; OpenRouter error_type: openrouter 1.3.84.
    ("permission_denied", ErrorKind::Permission),
    // Moonshot.
    ("permission_denied_error", ErrorKind::Permission),
    // Ark type "Forbidden".
    ("forbidden", ErrorKind::Permission),
    // Anthropic: anthropic 2.14.0 beta_billing_error_object.py.
    ("billing_error", ErrorKind::Permission),
    // OpenAI: recorded streams. DashScope uses the same word for a token rate limit: see
    // MESSAGE_RULES.
    ("insufficient_quota", ErrorKind::Permission),
    ("billing_hard_limit_reached", ErrorKind::Permission),
    ("account_deactivated", ErrorKind::Permission),
    // OpenAI 429: developers.openai.com/api/docs/guides/error-codes.
    ("credit_balance_exhausted", ErrorKind::Permission),
    // OpenAI 429: help.openai.com/en/articles/6614457.
    ("organization_spend_limit_exceeded", ErrorKind::Permission),
    // OpenAI 429: the same.
    ("project_spend_limit_exceeded", ErrorKind::Permission),
    // OpenAI 429: the same.
    ("organization_usage_limit_exceeded", ErrorKind::Permission),
    // ChatGPT/Codex backend: anomalyco/opencode packages/opencode/src/provider/error.ts.
    ("usage_not_included", ErrorKind::Permission),
    (
        "unsupported_country_region_territory",
        ErrorKind::Permission,
    ),
    // Responses response.error.code: openai 3.57.0 responses/response_error.py.
    ("data_residency_mismatch", ErrorKind::Permission),
    // Moonshot 429, balance.
    ("exceeded_current_quota_error", ErrorKind::Permission),
    // OpenRouter error_type: openrouter 1.3.84; Gemini Interactions:
    // ai.google.dev/gemini-api/docs/api-errors.
    ("payment_required", ErrorKind::Permission),
    // Bedrock 403: botocore 1.44.8.
    ("accessdeniedexception", ErrorKind::Permission),
    // Ark 403: volcengine.com/docs/82379/1299023; DashScope 403.
    ("accessdenied", ErrorKind::Permission),
    // DashScope alias.
    ("access_denied", ErrorKind::Permission),
    // DashScope 400: help.aliyun.com/en/model-studio/error-code.
    ("arrearage", ErrorKind::Permission),
    // DashScope 403, free quota used up.
    ("allocationquota.freetieronly", ErrorKind::Permission),
    // DashScope 429.
    ("commoditynotpurchased", ErrorKind::Permission),
    // DashScope 429.
    ("prepaidbilloverdue", ErrorKind::Permission),
    // DashScope 429.
    ("postpaidbilloverdue", ErrorKind::Permission),
    // Ark 403: volcengine.com/docs/82379/1299023.
    ("accountoverdueerror", ErrorKind::Permission),
    // Ark 403.
    ("serviceoverdue", ErrorKind::Permission),
    // Ark 403.
    ("servicenotopen", ErrorKind::Permission),
    // Ark 404 "has not activated the model": volcengine.com/docs/82379/1299023.
    ("modelnotopen", ErrorKind::Permission),
    // Ark 429, free trial used up.
    ("quotaexceeded", ErrorKind::Permission),
    // Ark 429, own spend limit.
    ("setlimitexceeded", ErrorKind::Permission),
    // watsonx 403.
    ("authorization_rejected", ErrorKind::Permission),
    // watsonx 403.
    ("user_authorization_failed", ErrorKind::Permission),
    // watsonx 403:. IBM's SDK docs say 429 ().
    ("token_quota_reached", ErrorKind::Permission),
    // Google ErrorInfo.reason: error_reason.proto and those below.
    ("service_disabled", ErrorKind::Permission),
    ("billing_disabled", ErrorKind::Permission),
    ("api_key_service_blocked", ErrorKind::Permission),
    ("api_key_http_referrer_blocked", ErrorKind::Permission),
    ("api_key_ip_address_blocked", ErrorKind::Permission),
    ("user_project_denied", ErrorKind::Permission),
    ("consumer_suspended", ErrorKind::Permission),
    ("security_policy_violated", ErrorKind::Permission),
    // Tencent Hunyuan: tencentcloud-sdk-python-hunyuan 3.1.180 errorcodes.py and those below.
    (
        "failedoperation.freeresourcepackexhausted",
        ErrorKind::Permission,
    ),
    (
        "failedoperation.resourcepackexhausted",
        ErrorKind::Permission,
    ),
    ("failedoperation.servicenotactivated", ErrorKind::Permission),
    ("failedoperation.servicestop", ErrorKind::Permission),
    ("failedoperation.servicestoparrears", ErrorKind::Permission),
    (
        "failedoperation.partneraccountunsupport",
        ErrorKind::Permission,
    ),
    ("failedoperation.userunautherror", ErrorKind::Permission),
    (
        "resourceinsufficient.chargeresourceexhaust",
        ErrorKind::Permission,
    ),
    ("resourceunavailable.inarrears", ErrorKind::Permission),
    ("resourceunavailable.lowbalance", ErrorKind::Permission),
    ("resourceunavailable.notexist", ErrorKind::Permission),
    ("resourceunavailable.stopusing", ErrorKind::Permission),
    ("failedoperation.setpaymodeexceed", ErrorKind::Permission),
    // --- NotFound.
    // OpenAI; DashScope alias.
    ("model_not_found", ErrorKind::NotFound),
    // Anthropic; llama.cpp.
    ("not_found_error", ErrorKind::NotFound),
    // google.rpc.Code; OpenRouter error_type.
    ("not_found", ErrorKind::NotFound),
    // Ark type: volcengine.com/docs/82379/1299023; DashScope 404.
    ("notfound", ErrorKind::NotFound),
    // DashScope 404.
    ("modelnotfound", ErrorKind::NotFound),
    // DashScope 404 and watsonx 400.
    ("model_not_supported", ErrorKind::NotFound),
    // DashScope 404.
    ("workspacenotfound", ErrorKind::NotFound),
    // Moonshot.
    ("resource_not_found_error", ErrorKind::NotFound),
    // Bedrock 404: botocore 1.44.8.
    ("resourcenotfoundexception", ErrorKind::NotFound),
    // Ark 404: volcengine.com/docs/82379/1299023.
    ("invalidendpointormodel.notfound", ErrorKind::NotFound),
    // Ark.
    ("invalidendpointormodel.modelnotfound", ErrorKind::NotFound),
    // Ark 404: apifox.com/apidoc/docs-site/5437846 (copy of the Ark page).
    ("invalidendpoint.notfound", ErrorKind::NotFound),
    // Azure: litellm 1.110.2 exception_mapping_utils.py.
    ("deploymentnotfound", ErrorKind::NotFound),
    // Databricks: databricks-sdk-py errors/platform.py.
    ("resource_does_not_exist", ErrorKind::NotFound),
    // Tencent "model does not exist": errorcodes.py and TencentCloud/tencentcloud-sdk-go
    // hunyuan/v20230901/errors.go.
    ("invalidparametervalue.model", ErrorKind::NotFound),
    // Tencent: errorcodes.py.
    ("resourcenotfound", ErrorKind::NotFound),
    // Baidu Qianfan V2 401.
    ("invalid_model", ErrorKind::NotFound),
    // xAI, a sentence in `code`: iniwap/AIWriteX#26.
    ("some requested entity was not found", ErrorKind::NotFound),
    // --- RateLimit.
    // OpenAI; OpenRouter error_type; Google reason.
    ("rate_limit_exceeded", ErrorKind::RateLimit),
    // Anthropic; OpenAI type.
    ("rate_limit_error", ErrorKind::RateLimit),
    ("rate_limit", ErrorKind::RateLimit),
    // Moonshot 429.
    ("rate_limit_reached_error", ErrorKind::RateLimit),
    // Mistral.
    ("rate_limited", ErrorKind::RateLimit),
    // (OpenAI, Groq type).
    ("requests", ErrorKind::RateLimit),
    // (OpenAI, Groq type).
    ("tokens", ErrorKind::RateLimit),
    ("too_many_requests", ErrorKind::RateLimit),
    // Ark type "TooManyRequests".
    ("toomanyrequests", ErrorKind::RateLimit),
    // google.rpc.Code; Databricks.
    ("resource_exhausted", ErrorKind::RateLimit),
    // Google ErrorInfo.reason: error_reason.proto.
    ("resource_quota_exceeded", ErrorKind::RateLimit),
    // Bedrock 429: botocore 1.44.8.
    ("throttlingexception", ErrorKind::RateLimit),
    // DashScope 429:; AWS: botocore 1.44.8 retries/standard.py.
    ("throttling", ErrorKind::RateLimit),
    // AWS: botocore 1.44.8 retries/standard.py.
    ("toomanyrequestsexception", ErrorKind::RateLimit),
    // AWS: botocore 1.44.8 retries/standard.py and those below.
    ("throttledexception", ErrorKind::RateLimit),
    ("requestthrottledexception", ErrorKind::RateLimit),
    ("requestthrottled", ErrorKind::RateLimit),
    ("requestlimitexceeded", ErrorKind::RateLimit),
    ("limitexceededexception", ErrorKind::RateLimit),
    ("slowdown", ErrorKind::RateLimit),
    // Bedrock 400: botocore 1.44.8.
    ("servicequotaexceededexception", ErrorKind::RateLimit),
    // DashScope 429.
    ("limitrequests", ErrorKind::RateLimit),
    // DashScope alias.
    ("limit_requests", ErrorKind::RateLimit),
    // DashScope alias of Throttling.BurstRate.
    ("limit_burst_rate", ErrorKind::RateLimit),
    // Ark 429.
    ("ratelimitexceeded", ErrorKind::RateLimit),
    // Ark 429.
    ("accountratelimitexceeded", ErrorKind::RateLimit),
    // Databricks: databricks-sdk-py errors/platform.py.
    ("request_limit_exceeded", ErrorKind::RateLimit),
    // Cerebras 429.
    ("request_quota_exceeded", ErrorKind::RateLimit),
    // Baidu Qianfan V2 429.
    ("rpm_rate_limit_exceeded", ErrorKind::RateLimit),
    // Baidu Qianfan V2 429.
    ("tpm_rate_limit_exceeded", ErrorKind::RateLimit),
    // Baidu Qianfan V2.
    ("input_tpm_rate_limit_exceeded", ErrorKind::RateLimit),
    // Tencent: errorcodes.py.
    (
        "failedoperation.engineserverlimitexceeded",
        ErrorKind::RateLimit,
    ),
    // Tencent: errorcodes.py.
    ("limitexceeded", ErrorKind::RateLimit),
    // --- Overloaded.
    // Anthropic.
    ("overloaded_error", ErrorKind::Overloaded),
    // TGI: text-generation 0.7.0 errors.py.
    ("overloaded", ErrorKind::Overloaded),
    // OpenAI 503 and Responses: a public bug report; OpenAI's error codes.
    ("server_is_overloaded", ErrorKind::Overloaded),
    // Responses and Codex backend:. OpenAI's page has it as a 429 of type rate_limit_error:
    // decision D1.
    ("slow_down", ErrorKind::Overloaded),
    ("engine_overloaded", ErrorKind::Overloaded),
    // Moonshot 429.
    ("engine_overloaded_error", ErrorKind::Overloaded),
    // OpenRouter error_type: openrouter 1.3.84.
    ("provider_overloaded", ErrorKind::Overloaded),
    // OpenRouter error_type: openrouter 1.3.84.
    ("provider_unavailable", ErrorKind::Overloaded),
    // Ark 429.
    ("serveroverloaded", ErrorKind::Overloaded),
    // Mistral 429, code "3505".
    ("service_tier_capacity_exceeded", ErrorKind::Overloaded),
    ("service_unavailable", ErrorKind::Overloaded),
    // OpenAI type: a public bug report.
    ("service_unavailable_error", ErrorKind::Overloaded),
    // Moonshot.
    ("server_unavailable", ErrorKind::Overloaded),
    // google.rpc.Code.
    ("unavailable", ErrorKind::Overloaded),
    // llama.cpp tools/server/server-common.cpp.
    ("unavailable_error", ErrorKind::Overloaded),
    // Bedrock 503: botocore 1.44.8.
    ("serviceunavailableexception", ErrorKind::Overloaded),
    // SageMaker 503: botocore 1.44.8.
    ("serviceunavailable", ErrorKind::Overloaded),
    // Bedrock and SageMaker 429: botocore 1.44.8.
    ("modelnotreadyexception", ErrorKind::Overloaded),
    // DashScope 503.
    ("modelunavailable", ErrorKind::Overloaded),
    // DashScope 500/503 "throttled due to system capacity limits".
    ("modelservingerror", ErrorKind::Overloaded),
    // Ark 400 "closed or temporarily unavailable": volcengine.com/docs/82379/1299023.
    ("invalidendpoint.closedendpoint", ErrorKind::Overloaded),
    // --- ContextLength.
    // OpenAI; OpenRouter error_type; Groq, vLLM.
    ("context_length_exceeded", ErrorKind::ContextLength),
    // litellm leaves it out since it also means a short field such as `user`.
    ("string_above_max_length", ErrorKind::ContextLength),
    // llama.cpp tools/server/server-common.cpp.
    ("exceed_context_size_error", ErrorKind::ContextLength),
    // Anthropic 413.
    ("request_too_large", ErrorKind::ContextLength),
    // GitHub Copilot.
    ("model_max_prompt_tokens_exceeded", ErrorKind::ContextLength),
    // OpenRouter: one field over the provider's limit; the same page.
    ("string_too_long", ErrorKind::ContextLength),
    // OpenRouter error_type (413): openrouter 1.3.84.
    ("payload_too_large", ErrorKind::ContextLength),
    // Baidu Qianfan V2.
    ("tokens_too_long", ErrorKind::ContextLength),
    // Baidu Qianfan V2.
    ("characters_too_long", ErrorKind::ContextLength),
    // --- InvalidRequest.
    // OpenAI, Anthropic and their like.
    ("invalid_request_error", ErrorKind::InvalidRequest),
    // OpenRouter error_type; Gemini Interactions.
    ("invalid_request", ErrorKind::InvalidRequest),
    // OpenRouter: "a token budget enforced by OpenRouter":
    // developersdigest.tech/errors/api/openrouter; no context overflow.
    ("token_limit_exceeded", ErrorKind::InvalidRequest),
    // OpenRouter: max_tokens was reached; the same page.
    ("max_tokens_exceeded", ErrorKind::InvalidRequest),
    // google.rpc.Code.
    ("invalid_argument", ErrorKind::InvalidRequest),
    // google.rpc.Code.
    ("failed_precondition", ErrorKind::InvalidRequest),
    // OpenRouter error_type.
    ("precondition_failed", ErrorKind::InvalidRequest),
    // google.rpc.Code; Gemini Interactions.
    ("out_of_range", ErrorKind::InvalidRequest),
    // Gemini Interactions 400: ai.google.dev/gemini-api/docs/api-errors.
    ("parameter_unknown", ErrorKind::InvalidRequest),
    ("bad_request", ErrorKind::InvalidRequest),
    // SGLang: sglang 0.5.23 serving_base.py; Ark type.
    ("badrequest", ErrorKind::InvalidRequest),
    // vLLM: a public bug report.
    ("badrequesterror", ErrorKind::InvalidRequest),
    // Groq: recorded streams.
    ("tool_use_failed", ErrorKind::InvalidRequest),
    // TGI: text-generation 0.7.0 errors.py.
    ("validation", ErrorKind::InvalidRequest),
    // Bedrock 400: botocore 1.44.8.
    ("validationexception", ErrorKind::InvalidRequest),
    // SageMaker 400 `ValidationError`: botocore 1.44.8.
    ("validationerror", ErrorKind::InvalidRequest),
    // Bedrock 400: botocore 1.44.8.
    ("conflictexception", ErrorKind::InvalidRequest),
    ("unprocessable_entity", ErrorKind::InvalidRequest),
    // OpenRouter error_type.
    ("unprocessable", ErrorKind::InvalidRequest),
    // Responses: openai 3.57.0 response_error.py; Codex treats it as an invalid request:.
    // OpenRouter error_type.
    ("invalid_prompt", ErrorKind::InvalidRequest),
    // A message with "usage polic" makes it ContentFilter: see MESSAGE_RULES.
    // Responses and OpenRouter: openai 3.57.0 response_error.py and those below.
    ("invalid_image", ErrorKind::InvalidRequest),
    ("invalid_image_format", ErrorKind::InvalidRequest),
    ("invalid_base64_image", ErrorKind::InvalidRequest),
    ("invalid_image_url", ErrorKind::InvalidRequest),
    ("image_too_large", ErrorKind::InvalidRequest),
    ("image_too_small", ErrorKind::InvalidRequest),
    ("image_parse_error", ErrorKind::InvalidRequest),
    ("invalid_image_mode", ErrorKind::InvalidRequest),
    ("image_file_too_large", ErrorKind::InvalidRequest),
    ("unsupported_image_media_type", ErrorKind::InvalidRequest),
    ("empty_image_file", ErrorKind::InvalidRequest),
    ("failed_to_download_image", ErrorKind::InvalidRequest),
    ("image_file_not_found", ErrorKind::InvalidRequest),
    // OpenRouter error_type: openrouter 1.3.84 and those below.
    ("unsupported_image_format", ErrorKind::InvalidRequest),
    ("image_not_found", ErrorKind::InvalidRequest),
    ("image_download_failed", ErrorKind::InvalidRequest),
    // OpenAI and Azure Responses: litellm 1.110.2 exception_mapping_utils.py.
    ("invalid_encrypted_content", ErrorKind::InvalidRequest),
    // llama.cpp tools/server/server-common.cpp.
    ("not_supported_error", ErrorKind::InvalidRequest),
    // SGLang: sglang 0.5.23 serving_base.py.
    ("notimplementederror", ErrorKind::InvalidRequest),
    // GitHub Copilot Responses.
    ("invalid_request_body", ErrorKind::InvalidRequest),
    // Ark 400: volcengine.com/docs/82379/1299023.
    ("missingparameter", ErrorKind::InvalidRequest),
    // Ark, DashScope, Tencent: volcengine.com/docs/82379/1299023;
    // help.aliyun.com/en/model-studio/error-code.
    ("invalidparameter", ErrorKind::InvalidRequest),
    // Tencent: errorcodes.py.
    ("invalidparametervalue", ErrorKind::InvalidRequest),
    // Databricks: databricks-sdk-py errors/platform.py.
    ("invalid_parameter_value", ErrorKind::InvalidRequest),
    // Ark.
    ("invalidimageurl", ErrorKind::InvalidRequest),
    // Ark.
    ("invalidimagedetail", ErrorKind::InvalidRequest),
    // DashScope 400.
    ("unsupportedoperation", ErrorKind::InvalidRequest),
    // watsonx 400.
    ("invalid_request_entity", ErrorKind::InvalidRequest),
    ("invalid_input_argument", ErrorKind::InvalidRequest),
    ("json_type_error", ErrorKind::InvalidRequest),
    ("json_validation_error", ErrorKind::InvalidRequest),
    ("model_no_support_for_function", ErrorKind::InvalidRequest),
    // xAI, a sentence in `code`: chatboxai/chatbox#1622.
    (
        "client specified an invalid argument",
        ErrorKind::InvalidRequest,
    ),
    // --- ContentFilter.
    // Azure; Moonshot 400.
    ("content_filter", ErrorKind::ContentFilter),
    // OpenAI; OpenRouter error_type.
    ("content_policy_violation", ErrorKind::ContentFilter),
    // Azure innererror.code.
    ("responsibleaipolicyviolation", ErrorKind::ContentFilter),
    // Responses: openai 3.57.0 response_error.py.
    ("image_content_policy_violation", ErrorKind::ContentFilter),
    // Responses: openai 3.57.0 response_error.py.
    ("bio_policy", ErrorKind::ContentFilter),
    // Responses: openai 3.57.0 response_error.py.
    ("misalignment_policy_violation", ErrorKind::ContentFilter),
    // OpenRouter error_type: openrouter 1.3.84.
    ("refusal", ErrorKind::ContentFilter),
    // DashScope 400.
    ("datainspectionfailed", ErrorKind::ContentFilter),
    // DashScope alias.
    ("data_inspection_failed", ErrorKind::ContentFilter),
    // DashScope 400.
    ("faqruleblocked", ErrorKind::ContentFilter),
    // DashScope 400.
    ("customroleblocked", ErrorKind::ContentFilter),
    // DashScope 400.
    ("ipinfringementsuspect", ErrorKind::ContentFilter),
    // Ark 400.
    ("sensitivecontentdetected", ErrorKind::ContentFilter),
    // Ark 400: volcengine.com/docs/82379/1099476 (also the next).
    ("inputtextriskdetection", ErrorKind::ContentFilter),
    ("inputimageriskdetection", ErrorKind::ContentFilter),
    // Tencent: errorcodes.py and those below.
    (
        "operationdenied.textillegaldetected",
        ErrorKind::ContentFilter,
    ),
    (
        "operationdenied.imageillegaldetected",
        ErrorKind::ContentFilter,
    ),
    // "the picture has sensitive content": tencentcloud-sdk-go errors.go.
    (
        "failedoperation.generateimagefailed",
        ErrorKind::ContentFilter,
    ),
    // Baidu Qianfan V2.
    ("image_url_unsafe", ErrorKind::ContentFilter),
    // --- Timeout.
    // OpenRouter error_type.
    ("timeout", ErrorKind::Timeout),
    // Anthropic: anthropic 2.14.0 beta_gateway_timeout_error_object.py.
    ("timeout_error", ErrorKind::Timeout),
    // google.rpc.Code.
    ("deadline_exceeded", ErrorKind::Timeout),
    // Bedrock 408: botocore 1.44.8.
    ("modeltimeoutexception", ErrorKind::Timeout),
    // AWS; DashScope 500 "RequestTimeOut": botocore 1.44.8 retries/standard.py.
    ("requesttimeout", ErrorKind::Timeout),
    // AWS: botocore 1.44.8 retries/standard.py.
    ("requesttimeoutexception", ErrorKind::Timeout),
    // DashScope 500.
    ("responsetimeout", ErrorKind::Timeout),
    // DashScope 500.
    ("internalerror.timeout", ErrorKind::Timeout),
    // Responses: openai 3.57.0 response_error.py.
    ("vector_store_timeout", ErrorKind::Timeout),
    // Tencent: errorcodes.py.
    ("failedoperation.enginerequesttimeout", ErrorKind::Timeout),
    // --- Server.
    // OpenAI; Moonshot; llama.cpp.
    ("server_error", ErrorKind::Server),
    // OpenRouter error_type: openrouter 1.3.84.
    ("server", ErrorKind::Server),
    // DashScope alias.
    ("internal_error", ErrorKind::Server),
    // DashScope 500:; Tencent: errorcodes.py.
    ("internalerror", ErrorKind::Server),
    // DashScope 500:. `InternalError.Algo.InvalidParameter` is InvalidRequest: see ERROR_PREFIX.
    ("internalerror.algo", ErrorKind::Server),
    ("internal_server_error", ErrorKind::Server),
    // SGLang; Ark type.
    ("internalservererror", ErrorKind::Server),
    // Ark 500.
    ("internalserviceerror", ErrorKind::Server),
    // google.rpc.Code.
    ("internal", ErrorKind::Server),
    // Anthropic.
    ("api_error", ErrorKind::Server),
    // google.rpc.Code; Databricks.
    ("unknown", ErrorKind::Server),
    // google.rpc.Code; Databricks.
    ("aborted", ErrorKind::Server),
    // google.rpc.Code; Databricks.
    ("data_loss", ErrorKind::Server),
    // TGI: text-generation 0.7.0 errors.py.
    ("generation", ErrorKind::Server),
    // TGI: the same.
    ("incomplete_generation", ErrorKind::Server),
    // Moonshot.
    ("unexpected_output", ErrorKind::Server),
    // DashScope 500.
    ("systemerror", ErrorKind::Server),
    // DashScope 500.
    ("modelservicefailed", ErrorKind::Server),
    // Bedrock 500: botocore 1.44.8.
    ("internalserverexception", ErrorKind::Server),
    // SageMaker 500: botocore 1.44.8.
    ("internalfailure", ErrorKind::Server),
    // SageMaker 530: botocore 1.44.8.
    ("internaldependencyexception", ErrorKind::Server),
    // SageMaker stream: botocore 1.44.8.
    ("internalstreamfailure", ErrorKind::Server),
    // SageMaker stream: botocore 1.44.8.
    ("modelstreamerror", ErrorKind::Server),
    // SageMaker 424: botocore 1.44.8.
    ("modelerror", ErrorKind::Server),
    // Bedrock 424: botocore 1.44.8.
    ("modelstreamerrorexception", ErrorKind::Server),
    // Bedrock 424: botocore 1.44.8.
    ("modelerrorexception", ErrorKind::Server),
    // Bedrock InvokeAgent: botocore 1.44.8 bedrock-agent-runtime.
    ("badgatewayexception", ErrorKind::Server),
    // Bedrock InvokeAgent: the same.
    ("dependencyfailedexception", ErrorKind::Server),
    // Tencent: errorcodes.py and those below.
    ("failedoperation.engineservererror", ErrorKind::Server),
    ("failedoperation.consoleservererror", ErrorKind::Server),
    ("failedoperation", ErrorKind::Server),
    // --- Other, known words.
    // OpenRouter error_type: openrouter 1.3.84.
    ("unmapped", ErrorKind::Other),
    // DashScope 400.
    ("clientdisconnect", ErrorKind::Other),
    // Moonshot.
    ("client_closed_request", ErrorKind::Other),
];

/// Beginnings of codes that are in no other row, the longer ones first.
const ERROR_PREFIX_ROWS: &[(&str, ErrorKind)] = &[
    // DashScope Throttling.RateQuota, .BurstRate, .AllocationQuota.
    ("throttling.", ErrorKind::RateLimit),
    // Ark .EndpointRPMExceeded, .EndpointTPMExceeded.
    ("ratelimitexceeded.", ErrorKind::RateLimit),
    // DashScope through iFlytek.
    (
        "internalerror.algo.invalidparameter",
        ErrorKind::InvalidRequest,
    ),
    // DashScope InternalError.FileUpload, .Upload, .Algo.
    ("internalerror.", ErrorKind::Server),
    // Ark .InvalidJSON, .InvalidValue:; Tencent.
    ("invalidparameter.", ErrorKind::InvalidRequest),
    // Tencent: errorcodes.py.
    ("invalidparametervalue.", ErrorKind::InvalidRequest),
    // Ark.
    ("invalidendpointormodel.", ErrorKind::NotFound),
    // DashScope AccessDenied.Unpurchased.
    ("accessdenied.", ErrorKind::Permission),
    // Ark 403.
    ("operationdenied.servicenotopen", ErrorKind::Permission),
    // Ark OperationDenied.CallbackNotSupported 400.
    ("operationdenied.", ErrorKind::InvalidRequest),
    // Ark Input/Output + Text/Image/Video/Audio + SensitiveContentDetected, with suffixes such as.
    (
        "inputtextsensitivecontentdetected",
        ErrorKind::ContentFilter,
    ),
    // .PrivacyInformation () and .PolicyViolation.
    (
        "inputimagesensitivecontentdetected",
        ErrorKind::ContentFilter,
    ),
    (
        "inputvideosensitivecontentdetected",
        ErrorKind::ContentFilter,
    ),
    (
        "inputaudiosensitivecontentdetected",
        ErrorKind::ContentFilter,
    ),
    (
        "outputtextsensitivecontentdetected",
        ErrorKind::ContentFilter,
    ),
    (
        "outputimagesensitivecontentdetected",
        ErrorKind::ContentFilter,
    ),
    (
        "outputvideosensitivecontentdetected",
        ErrorKind::ContentFilter,
    ),
    (
        "outputaudiosensitivecontentdetected",
        ErrorKind::ContentFilter,
    ),
];

/// Codes of Z.ai and Zhipu: strings of four digits in `error.code`.
pub(super) const ZAI: &[(u32, ErrorKind)] = &[
    // Authentication Failed.
    (1000, ErrorKind::Authentication),
    // parameter not received in header.
    (1001, ErrorKind::Authentication),
    // invalid token.
    (1002, ErrorKind::Authentication),
    // token expired.
    (1003, ErrorKind::Authentication),
    // authentication failed with the token.
    (1004, ErrorKind::Authentication),
    // account inactive.
    (1110, ErrorKind::Permission),
    // account does not exist.
    (1111, ErrorKind::Permission),
    // account locked.
    (1112, ErrorKind::Permission),
    // account in arrears.
    (1113, ErrorKind::Permission),
    // unable to access your account, try again later.
    (1120, ErrorKind::Server),
    // account locked for irregular activities.
    (1121, ErrorKind::Permission),
    // incorrect parameters.
    (1210, ErrorKind::InvalidRequest),
    // model does not exist; seen: lidge-jun/opencodex#41.
    (1211, ErrorKind::NotFound),
    // model does not support this call method.
    (1212, ErrorKind::InvalidRequest),
    // parameter not received.
    (1213, ErrorKind::InvalidRequest),
    // invalid parameter.
    (1214, ErrorKind::InvalidRequest),
    // two parameters cannot be set together.
    (1215, ErrorKind::InvalidRequest),
    // no permission for this API.
    (1220, ErrorKind::Permission),
    // API taken offline.
    (1221, ErrorKind::NotFound),
    // API does not exist.
    (1222, ErrorKind::NotFound),
    // API call process error.
    (1230, ErrorKind::Server),
    // you already have this request.
    (1231, ErrorKind::InvalidRequest),
    // network error.
    (1234, ErrorKind::Server),
    // "Prompt exceeds max length".
    (1261, ErrorKind::ContextLength),
    // blocked by policy.
    (1300, ErrorKind::Permission),
    // unsafe or sensitive content.
    (1301, ErrorKind::ContentFilter),
    // high concurrency.
    (1302, ErrorKind::RateLimit),
    // high frequency.
    (1303, ErrorKind::RateLimit),
    // daily call limit.
    (1304, ErrorKind::RateLimit),
    // "service may be temporarily overloaded", HTTP 429.
    (1305, ErrorKind::Overloaded),
    // usage limit, resets at a time.
    (1308, ErrorKind::RateLimit),
    // coding plan expired.
    (1309, ErrorKind::Permission),
    // "limit exhausted".
    (1310, ErrorKind::RateLimit),
];

/// Codes of MiniMax: numbers in `base_resp.status_code`.
pub(super) const BASE_RESP: &[(u32, ErrorKind)] = &[
    // unknown error.
    (1000, ErrorKind::Server),
    // request timeout.
    (1001, ErrorKind::Timeout),
    // rate limit.
    (1002, ErrorKind::RateLimit),
    // not authorized / token not match group / cookie is missing.
    (1004, ErrorKind::Authentication),
    // insufficient balance; a public bug report.
    (1008, ErrorKind::Permission),
    // internal error.
    (1024, ErrorKind::Server),
    // input new_sensitive.
    (1026, ErrorKind::ContentFilter),
    // output new_sensitive.
    (1027, ErrorKind::ContentFilter),
    // system error / mysql failed.
    (1033, ErrorKind::Server),
    // "token limit", solution "retry your requests later".
    (1039, ErrorKind::RateLimit),
    // conn limit.
    (1041, ErrorKind::RateLimit),
    // invisible character ratio limit.
    (1042, ErrorKind::InvalidRequest),
    // asr similarity check.
    (1043, ErrorKind::InvalidRequest),
    // clone prompt similarity check.
    (1044, ErrorKind::InvalidRequest),
    // invalid params; with "context window exceeds limit" it is ContextLength (phrase).
    (2013, ErrorKind::InvalidRequest),
    // voice duration.
    (2037, ErrorKind::InvalidRequest),
    // voice id duplicate.
    (2039, ErrorKind::InvalidRequest),
    // no access to this voice_id.
    (2042, ErrorKind::Permission),
    // rate growth limit.
    (2045, ErrorKind::RateLimit),
    // prompt audio too long.
    (2048, ErrorKind::InvalidRequest),
    // invalid api key.
    (2049, ErrorKind::Authentication),
    // usage limit exceeded, next five-hour window.
    (2056, ErrorKind::RateLimit),
    // invalid samples or voice_id.
    (20132, ErrorKind::InvalidRequest),
];

/// Codes of Baidu: numbers in `error_code`.
pub(super) const BAIDU: &[(u32, ErrorKind)] = &[
    // UnknownError.
    (1, ErrorKind::Server),
    // ServiceUnavailable.
    (2, ErrorKind::Overloaded),
    // UnsupportedMethod.
    (3, ErrorKind::InvalidRequest),
    // RequestLimitReached.
    (4, ErrorKind::RateLimit),
    // NoPermissionToAccessData.
    (6, ErrorKind::Permission),
    // GetServiceTokenFailed.
    (13, ErrorKind::Authentication),
    // IAMCertificationFailed.
    (14, ErrorKind::Authentication),
    // AppNotExist.
    (15, ErrorKind::NotFound),
    // DailyLimitReached.
    (17, ErrorKind::RateLimit),
    // QPSLimitReached.
    (18, ErrorKind::RateLimit),
    // TotalRequestLimitReached.
    (19, ErrorKind::RateLimit),
    // InvalidRequest.
    (100, ErrorKind::InvalidRequest),
    // APITokenInvalid.
    (110, ErrorKind::Authentication),
    // APITokenExpired.
    (111, ErrorKind::Authentication),
    // InternalError.
    (336_000, ErrorKind::Server),
    // InvalidArgument.
    (336_001, ErrorKind::InvalidRequest),
    // InvalidJSON.
    (336_002, ErrorKind::InvalidRequest),
    // InvalidParam.
    (336_003, ErrorKind::InvalidRequest),
    // PermissionError.
    (336_004, ErrorKind::Permission),
    // APINameNotExist.
    (336_005, ErrorKind::NotFound),
    // ServerHighLoad.
    (336_100, ErrorKind::Overloaded),
    // InvalidHTTPMethod.
    (336_101, ErrorKind::InvalidRequest),
    // InvalidArgumentSystem.
    (336_104, ErrorKind::InvalidRequest),
    // InvalidArgumentUserSetting.
    (336_105, ErrorKind::InvalidRequest),
    // RPMLimitReached.
    (336_501, ErrorKind::RateLimit),
    // TPMLimitReached.
    (336_502, ErrorKind::RateLimit),
    // ConsoleInternalError.
    (500_000, ErrorKind::Server),
];

/// Codes of iFlytek: strings of five digits in `error.code`.
pub(super) const IFLYTEK: &[(u32, ErrorKind)] = &[
    // WebSocket errors.
    (10000, ErrorKind::Server),
    (10001, ErrorKind::Server),
    (10002, ErrorKind::Server),
    (10003, ErrorKind::InvalidRequest),
    (10004, ErrorKind::InvalidRequest),
    (10005, ErrorKind::InvalidRequest),
    // one connection, one question at a time.
    (10006, ErrorKind::RateLimit),
    (10007, ErrorKind::RateLimit),
    // not enough capacity.
    (10008, ErrorKind::Overloaded),
    // engine.
    (10009, ErrorKind::Server),
    (10010, ErrorKind::Server),
    (10011, ErrorKind::Server),
    (10012, ErrorKind::Server),
    // input, output.
    (10013, ErrorKind::ContentFilter),
    (10014, ErrorKind::ContentFilter),
    // appid on the black list, not authorised.
    (10015, ErrorKind::Permission),
    (10016, ErrorKind::Permission),
    // likely sensitive.
    (10019, ErrorKind::ContentFilter),
    (10021, ErrorKind::ContentFilter),
    (10022, ErrorKind::ContentFilter),
    // busy, try later.
    (10110, ErrorKind::Overloaded),
    // schema check.
    (10163, ErrorKind::InvalidRequest),
    // engine network, no engine node.
    (10222, ErrorKind::Server),
    (10223, ErrorKind::Server),
    // too many tokens: history and question.
    (10907, ErrorKind::ContextLength),
    // no licence or over the volume.
    (11200, ErrorKind::Permission),
    // per day, per second, concurrency.
    (11201, ErrorKind::RateLimit),
    (11202, ErrorKind::RateLimit),
    (11203, ErrorKind::RateLimit),
];

/// Words of messages that are about something else than the context, whatever else they say.
pub(super) const NOT_CONTEXT: &[&str] = &[
    // earendil-works/pi packages/ai/src/utils/overflow.ts; OpenAI "Rate limit reached for … on
    // tokens per min".
    "rate limit",
    // NousResearch/hermes-agent agent/error_classifier.py.
    "rate_limit",
    // earendil-works/pi overflow.ts.
    "too many requests",
    // OpenAI TPM, also "tokens per minute":, hermes-agent error_classifier.py.
    "tokens per min",
    // the same.
    "requests per min",
    // Groq and OpenAI TPD.
    "tokens per day",
    // Bedrock "ThrottlingException: Too many tokens, please wait before trying again.":
    // earendil-works/pi overflow.ts.
    "please wait before trying again",
    // Bedrock, DashScope "Requests throttling triggered.".
    "throttl",
    // Gemini "Quota exceeded …", DashScope "Allocated quota exceeded".
    "quota",
    // Anthropic "image exceeds 5 MB maximum": hermes-agent error_classifier.py.
    "image exceeds",
    // OpenAI "Invalid 'user': string too long": litellm 1.110.2.
    "invalid 'user'",
];

/// Words of messages that say that a prompt does not fit in the context.
pub(super) const CONTEXT: &[&str] = &[
    // Anthropic "prompt is too long: 233153 tokens > 200000 maximum": a public bug report; a gateway.
    "prompt is too long",
    // Ollama "prompt too long; exceeded max context length by 17 tokens".
    "prompt too long; exceeded",
    // Anthropic "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000":;
    // Bedrock.
    "exceed context limit",
    // Anthropic 413: earendil-works/pi overflow.ts.
    "request exceeds the maximum size",
    // Bedrock "Input is too long for requested model.": a public bug report.
    "input is too long for requested model",
    // Bedrock: litellm 1.110.2 exception_mapping_utils.py.
    "too many input tokens",
    // Bedrock Titan "expected maxLength: 50000, actual: …": litellm 1.110.2.
    "expected maxlength:",
    // OpenAI, DeepSeek, vLLM, OpenRouter, Mistral, SGLang: "This model's maximum context length is
    // 8192 tokens": earendil-works/pi overflow.ts; sglang 0.5.23 tokenizer_manager.py.
    "maximum context length",
    "maximum context",
    // Together and SGLang "The input (1 tokens) is longer than the model's context length (2
    // tokens).": sglang 0.5.23 tokenizer_manager.py; LM Studio "greater than the context length":
    // earendil-works/pi overflow.ts.
    "context length",
    "context_length",
    // OpenAI "Your input exceeds the context window of this model"; MiniMax "invalid params,
    // context window exceeds limit (2013)": earendil-works/pi overflow.ts.
    "context window",
    // llama.cpp "request (9 tokens) exceeds the available context size (8 tokens), try increasing
    // it", "input (9 tokens) is larger than the max context size", "Context size has been
    // exceeded.": tools/server/server-context.cpp; DS4 "but the configured context size is".
    "context size",
    // litellm 1.110.2.
    "model's maximum context limit",
    // xAI "This model's maximum prompt length is 131072 but the request contains 537812 tokens":
    // earendil-works/pi overflow.ts.
    "maximum prompt length is",
    // Gemini "The input token count (1196265) exceeds the maximum number of tokens allowed
    // (1048575)": earendil-works/pi overflow.ts.
    "exceeds the maximum number of tokens",
    // Gemini: the same. Vertex "The input token count is … but model only supports up to …".
    "input token count",
    // Gemini 500 INTERNAL "Your input context is too long.".
    "input context is too long",
    // GitHub Copilot "prompt token count of 391491 exceeds the limit of 128000".
    "prompt token count of",
    // Groq, Cerebras, OpenAI "Please reduce the length of the messages or completion":
    // earendil-works/pi overflow.ts.
    "reduce the length of the messages",
    // OpenAI completions "Please reduce your prompt; or completion length.":
    // paul-genai-test-tools-ts openai-error-patterns.ts.
    "reduce your prompt",
    // Moonshot "Invalid request: Your request exceeded model token limit: 262144 (requested:
    // 269030)": MoonshotAI/kimi-cli#2011.
    "exceeded model token limit",
    // DashScope "Range of input length should be [1, 202745]".
    "range of input length should be",
    // Volcengine Ark "Total tokens of image and text exceed max message tokens".
    "exceed max message tokens",
    // Z.ai code 1261.
    "prompt exceeds max length",
    // Z.ai coding plan: anomalyco/opencode#27629.
    "tokens in request more than max tokens allowed",
    // OpenRouter, Poolside "Input length X exceeds the maximum allowed input length of Y tokens.":
    // earendil-works/pi overflow.ts.
    "maximum allowed input length",
    // SGLang "Input length (9 tokens) exceeds the maximum allowed length (8 tokens)": sglang 0.5.23
    // managers/utils.py.
    "exceeds the maximum allowed length",
    // SGLang "Request prompt exceeds the KV memory budget": sglang 0.5.23 scheduler.py.
    "exceeds the kv memory budget",
    // OpenAI-like gateways "Input tokens exceed the configured limit of 192000 tokens.":; litellm
    // 1.110.2.
    "tokens exceed the configured limit",
    // TGI "`inputs` tokens + `max_new_tokens` must be <= 4096": litellm 1.110.2.
    "tokens + `max_new_tokens` must be",
    // AI21: litellm 1.110.2.
    "prompt has too many tokens",
    // Cohere "too many tokens: …", Bedrock: litellm 1.110.2. The Bedrock throttle with the same
    // words is caught by NOT_CONTEXT.
    "too many tokens",
    // generic: earendil-works/pi overflow.ts.
    "token limit exceeded",
    // vLLM "exceeds the max_model_len": hermes-agent error_classifier.py.
    "max_model_len",
    // vLLM: hermes-agent error_classifier.py.
    "maximum model length",
    // iFlytek 10907.
    "token数量超过上限",
    // Chinese gateways: hermes-agent error_classifier.py.
    "超过最大长度",
    // the same.
    "上下文长度",
];

/// The same, where both must occur.
pub(super) const CONTEXT_PAIRS: &[(&str, &str)] = &[
    // Cerebras "Current length is 9 while limit is 8": litellm 1.110.2.
    ("current length is", "while limit is"),
    // litellm 1.110.2 (provider not named there).
    ("input too long:", "input tokens, limit is"),
    // litellm 1.110.2 (provider not named there).
    ("maximum input length is", "tokens"),
    // DS4 "Prompt has 32769 tokens, but the configured context size is 32768 tokens".
    ("prompt has", "configured context size is"),
];

/// What only a message tells, in lower case. The first row that occurs counts.
const MESSAGES_ROWS: &[(&str, ErrorKind)] = &[
    // Z.ai 1305, Gemini 503, Nvidia through OpenRouter.
    ("temporarily overloaded", ErrorKind::Overloaded),
    // Moonshot "The engine is currently overloaded", OpenAI "Our servers are currently
    // overloaded", a public bug report.
    ("currently overloaded", ErrorKind::Overloaded),
    // Gemini and HF "The model is overloaded.": litellm 1.110.2.
    ("model is overloaded", ErrorKind::Overloaded),
    // Gemini 503 "This model is currently experiencing high demand.".
    ("experiencing high demand", ErrorKind::Overloaded),
    // Codex "Selected model is at capacity.".
    ("at capacity", ErrorKind::Overloaded),
    // Mistral.
    ("service tier capacity exceeded", ErrorKind::Overloaded),
    // Ollama "server busy, please try again. maximum pending requests exceeded".
    ("maximum pending requests exceeded", ErrorKind::Overloaded),
    // Gemini 503.
    ("temporarily running out of capacity", ErrorKind::Overloaded),
    // Vertex 429: litellm 1.110.2.
    ("temporarily out of capacity", ErrorKind::Overloaded),
    // DashScope "throttled due to system capacity limits".
    ("system capacity limits", ErrorKind::Overloaded),
    // DashScope `insufficient_quota` that is a token rate limit.
    ("free allocated quota exceeded", ErrorKind::Permission),
    ("allocated quota exceeded", ErrorKind::RateLimit),
    // all; litellm 1.110.2 also takes "rate-limit" and "rate_limit".
    ("rate limit", ErrorKind::RateLimit),
    // DashScope BurstRate.
    ("rate increased too quickly", ErrorKind::RateLimit),
    // DashScope, HTTP gateways.
    ("too many requests", ErrorKind::RateLimit),
    // Replicate: litellm 1.110.2.
    ("request was throttled", ErrorKind::RateLimit),
    // xAI 429: continuedev/continue#10373.
    (
        "used all available credits or reached its monthly spending limit",
        ErrorKind::Permission,
    ),
    // DeepSeek 402, MiniMax 1008: api-docs.deepseek.com/quick_start/error_codes; a public bug report.
    ("insufficient balance", ErrorKind::Permission),
    // Anthropic "Your credit balance is too low": hermes-agent error_classifier.py.
    ("credit balance", ErrorKind::Permission),
    // xAI `type: error` frame of Responses: NousResearch/hermes-agent#28111.
    (
        "do not have an active grok subscription",
        ErrorKind::Permission,
    ),
    // OpenAI invalid_prompt: litellm 1.110.2.
    ("violating our usage policy", ErrorKind::ContentFilter),
    // OpenAI: hermes-agent error_classifier.py.
    ("violates our usage policies", ErrorKind::ContentFilter),
    // Azure "triggering Azure OpenAI's content management policy": litellm 1.110.2 (it tests
    // "content management").
    ("content management policy", ErrorKind::ContentFilter),
    // OpenAI images: litellm 1.110.2.
    (
        "rejected as a result of our safety system",
        ErrorKind::ContentFilter,
    ),
    // Anthropic: litellm 1.110.2.
    (
        "output blocked by content filtering policy",
        ErrorKind::ContentFilter,
    ),
    // xAI.
    ("rejected by content moderation", ErrorKind::ContentFilter),
    // DashScope.
    (
        "may contain inappropriate content",
        ErrorKind::ContentFilter,
    ),
    // hermes-agent error_classifier.py; DashScope "Request timed out, try again later.".
    ("timed out", ErrorKind::Timeout),
];
