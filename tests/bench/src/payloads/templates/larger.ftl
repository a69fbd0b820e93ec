<#-- An Amplitude event as a call of a customer-data platform's `track`. -->
{
  "type": "track",
  "messageId": "${input["$insert_id"]?json_string}",
  "event": "${input.event_type?json_string}",
  "timestamp": "${input.event_time?replace(" ", "T")?json_string}Z",
  <#if input.user_id??>
  "userId": "${input.user_id?json_string}",
  <#else>
  "anonymousId": "${input.device_id?json_string}",
  </#if>
  "context": {
    "library": "${input.library?json_string}",
    "os": "${(input.os_name!"unknown")?json_string}",
    "country": "${(input.country!"unknown")?upper_case?json_string}",
    "session": ${input.session_id?c}
  },
  "traits": {
    "email": "${(input.user_properties.email!)?json_string}",
    "plan": "${(input.user_properties.plan!"free")?json_string}"
  },
  "properties": [
  <#list input.event_properties as name, value>
    {
      "name": "${name?json_string}",
      <#if value?is_boolean>
      "flag": ${value?c}
      <#elseif value?is_number>
      "number": ${value?c}
      <#else>
      "text": "${value?json_string}"
      </#if>
    }<#sep>,</#sep>
  </#list>
  ],
  <#if (input.event_properties.price!0) gte 500>
  "segment": "large"
  <#elseif (input.event_properties.price!0) gt 0>
  "segment": "small"
  <#else>
  "segment": "none"
  </#if>
}
