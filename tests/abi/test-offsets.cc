// SPDX-License-Identifier: Apache-2.0
// The places and sizes of every public struct: what plugins and the core share, and what programs do.
// A line here may change only with the major of the plugins' ABI, or the library's soname; new members are
// added to the end of a list.  tests/abi/test-promise.sh finds what is not here.
#include <cenote/cenote.h>
#include <cenote/event-text.h>
#include <gtest/gtest.h>

namespace {

#if defined __LP64__

#define AT(type, member, offset) EXPECT_EQ (offsetof (type, member), offset##u) << #type "." #member
#define SIZE(type, size) EXPECT_EQ (sizeof (type), size##u) << #type

TEST (Abi, OptionsKeepTheirPlaces)
{
  AT (CenoteOption, name, 0);
  AT (CenoteOption, type, 8);
  AT (CenoteOption, flags, 12);
  AT (CenoteOption, default_text, 16);
  AT (CenoteOption, min, 24);
  AT (CenoteOption, max, 32);
  AT (CenoteOption, choices, 40);
  AT (CenoteOption, summary, 48);
  SIZE (CenoteOption, 56);
  AT (CenoteValue, is_set, 0);
  AT (CenoteValue, number, 8);
  AT (CenoteValue, real, 16);
  AT (CenoteValue, text, 24);
  AT (CenoteValue, list, 32);
  SIZE (CenoteValue, 40);
  AT (CenoteOptions, struct_size, 0);
  AT (CenoteOptions, n_values, 4);
  AT (CenoteOptions, value_size, 8);
  AT (CenoteOptions, reserved, 12);
  AT (CenoteOptions, values, 16);
  AT (CenoteOptions, instance, 24);
  SIZE (CenoteOptions, 32);
}

TEST (Abi, TheHostKeepsItsPlaces)
{
  AT (CenoteHost, struct_size, 0);
  AT (CenoteHost, abi_minor, 4);
  AT (CenoteHost, log, 8);
  AT (CenoteHost, now_us, 16);
  AT (CenoteHost, random, 24);
  AT (CenoteHost, fail, 32);
  AT (CenoteHost, timer_start, 40);
  AT (CenoteHost, timer_stop, 48);
  AT (CenoteHost, emit, 56);
  AT (CenoteHost, renew, 64);
  AT (CenoteHost, call_credentials, 72);
  AT (CenoteHost, read_metrics, 80);
  AT (CenoteHost, status_json, 88);
  AT (CenoteHost, free_memory, 96);
  AT (CenoteHost, call_async, 104);
  SIZE (CenoteHost, 112);
}

TEST (Abi, OperationsKeepTheirPlaces)
{
  AT (CenoteBackoffOps, struct_size, 0);
  AT (CenoteBackoffOps, flags, 4);
  AT (CenoteBackoffOps, create, 8);
  AT (CenoteBackoffOps, next, 16);
  AT (CenoteBackoffOps, reset, 24);
  AT (CenoteBackoffOps, destroy, 32);
  SIZE (CenoteBackoffOps, 40);
  AT (CenoteConnectorOps, struct_size, 0);
  AT (CenoteConnectorOps, flags, 4);
  AT (CenoteConnectorOps, create, 8);
  AT (CenoteConnectorOps, plan, 16);
  AT (CenoteConnectorOps, destroy, 24);
  SIZE (CenoteConnectorOps, 32);
  AT (CenotePickerOps, struct_size, 0);
  AT (CenotePickerOps, flags, 4);
  AT (CenotePickerOps, create, 8);
  AT (CenotePickerOps, pick, 16);
  AT (CenotePickerOps, done, 24);
  AT (CenotePickerOps, destroy, 32);
  SIZE (CenotePickerOps, 40);
  AT (CenoteTransportOps, struct_size, 0);
  AT (CenoteTransportOps, flags, 4);
  AT (CenoteTransportOps, create, 8);
  AT (CenoteTransportOps, create_channel, 16);
  AT (CenoteTransportOps, watch, 24);
  AT (CenoteTransportOps, connect, 32);
  AT (CenoteTransportOps, close_channel, 40);
  AT (CenoteTransportOps, destroy, 48);
  AT (CenoteTransportOps, explain, 56);
  AT (CenoteTransportOps, give_up_channel, 64);
  SIZE (CenoteTransportOps, 72);
  AT (CenoteTelemetryOps, struct_size, 0);
  AT (CenoteTelemetryOps, flags, 4);
  AT (CenoteTelemetryOps, mask, 8);
  AT (CenoteTelemetryOps, create, 16);
  AT (CenoteTelemetryOps, handle, 24);
  AT (CenoteTelemetryOps, flush, 32);
  AT (CenoteTelemetryOps, destroy, 40);
  AT (CenoteTelemetryOps, interest, 48);
  AT (CenoteTelemetryOps, poll, 56);
  SIZE (CenoteTelemetryOps, 64);
}

TEST (Abi, TheConnectorsViewAndPlanKeepTheirPlaces)
{
  AT (CenoteAddressView, address, 0);
  AT (CenoteAddressView, id, 8);
  AT (CenoteAddressView, gate, 12);
  AT (CenoteAddressView, waiters, 16);
  AT (CenoteAddressView, removed, 20);
  AT (CenoteAddressView, last_use_us, 24);
  AT (CenoteAddressView, next_attempt_us, 32);
  SIZE (CenoteAddressView, 40);
  AT (CenoteChannelView, id, 0);
  AT (CenoteChannelView, replaces, 8);
  AT (CenoteChannelView, address, 16);
  AT (CenoteChannelView, state, 20);
  AT (CenoteChannelView, flags, 24);
  AT (CenoteChannelView, reserved, 28);
  AT (CenoteChannelView, in_flight, 32);
  AT (CenoteChannelView, peak, 40);
  AT (CenoteChannelView, ready_since_us, 48);
  AT (CenoteChannelView, last_use_us, 56);
  SIZE (CenoteChannelView, 64);
  AT (CenoteConnectorView, struct_size, 0);
  AT (CenoteConnectorView, verb, 4);
  AT (CenoteConnectorView, verb_address, 8);
  AT (CenoteConnectorView, wanted, 12);
  AT (CenoteConnectorView, min, 16);
  AT (CenoteConnectorView, max, 20);
  AT (CenoteConnectorView, now_us, 24);
  AT (CenoteConnectorView, oldest_deadline_us, 32);
  AT (CenoteConnectorView, acquired, 40);
  AT (CenoteConnectorView, refused, 48);
  AT (CenoteConnectorView, n_waiters, 56);
  AT (CenoteConnectorView, n_addresses, 60);
  AT (CenoteConnectorView, address_size, 64);
  AT (CenoteConnectorView, n_channels, 68);
  AT (CenoteConnectorView, channel_size, 72);
  AT (CenoteConnectorView, n_changed, 76);
  AT (CenoteConnectorView, addresses, 80);
  AT (CenoteConnectorView, channels, 88);
  AT (CenoteConnectorView, changed, 96);
  AT (CenoteConnectorView, idle_timeout_us, 104);
  AT (CenoteConnectorView, max_streams_per_channel, 112);
  AT (CenoteConnectorView, reserved, 116);
  SIZE (CenoteConnectorView, 120);
  AT (CenotePlan, struct_size, 0);
  AT (CenotePlan, reserved, 4);
  AT (CenotePlan, open, 8);
  AT (CenotePlan, drain, 16);
  AT (CenotePlan, revive, 24);
  AT (CenotePlan, close, 32);
  AT (CenotePlan, forget, 40);
  AT (CenotePlan, wake_at, 48);
  AT (CenotePlan, refuse, 56);
  AT (CenotePlan, expect, 64);
  SIZE (CenotePlan, 72);
}

TEST (Abi, ThePickersViewKeepsItsPlaces)
{
  AT (CenoteTally, taken, 0);
  AT (CenoteTally, released, 8);
  AT (CenoteTally, others, 16);
  SIZE (CenoteTally, 24);
  AT (CenotePlace, channel_id, 0);
  AT (CenotePlace, number, 8);
  AT (CenotePlace, weight, 12);
  AT (CenotePlace, penalty, 16);
  AT (CenotePlace, tally_block, 24);
  AT (CenotePlace, tally_offset, 28);
  AT (CenotePlace, ready_since_us, 32);
  SIZE (CenotePlace, 40);
  AT (CenotePickView, struct_size, 0);
  AT (CenotePickView, n_places, 4);
  AT (CenotePickView, place_size, 8);
  AT (CenotePickView, attempt, 12);
  AT (CenotePickView, avoid, 16);
  AT (CenotePickView, has_key, 20);
  AT (CenotePickView, key_hash, 24);
  AT (CenotePickView, luck, 32);
  AT (CenotePickView, places, 40);
  AT (CenotePickView, scratch, 48);
  AT (CenotePickView, tallies, 56);
  AT (CenotePickView, now_us, 64);
  SIZE (CenotePickView, 72);
}

TEST (Abi, DescriptorAndNoteKeepTheirPlaces)
{
  AT (CenotePlugin, magic, 0);
  AT (CenotePlugin, abi_major, 4);
  AT (CenotePlugin, abi_minor, 6);
  AT (CenotePlugin, struct_size, 8);
  AT (CenotePlugin, kind, 12);
  AT (CenotePlugin, name, 16);
  AT (CenotePlugin, version, 24);
  AT (CenotePlugin, summary, 32);
  AT (CenotePlugin, license, 40);
  AT (CenotePlugin, options, 48);
  AT (CenotePlugin, n_options, 56);
  AT (CenotePlugin, option_size, 60);
  AT (CenotePlugin, ops, 64);
  SIZE (CenotePlugin, 72);
  AT (CenoteNote, owner_size, 0);
  AT (CenoteNote, payload_size, 4);
  AT (CenoteNote, type, 8);
  AT (CenoteNote, owner, 12);
  AT (CenoteNote, abi_major, 20);
  AT (CenoteNote, abi_minor, 22);
  AT (CenoteNote, kind, 24);
  AT (CenoteNote, name, 28);
  SIZE (CenoteNote, 76);
}

TEST (Abi, MetricsKeepTheirPlaces)
{
  AT (CenoteLabel, name, 0);
  AT (CenoteLabel, value, 8);
  SIZE (CenoteLabel, 16);
  AT (CenoteBucket, upper_ns, 0);
  AT (CenoteBucket, count, 8);
  SIZE (CenoteBucket, 16);
  AT (CenoteMetric, struct_size, 0);
  AT (CenoteMetric, kind, 4);
  AT (CenoteMetric, name, 8);
  AT (CenoteMetric, summary, 16);
  AT (CenoteMetric, labels, 24);
  AT (CenoteMetric, n_labels, 32);
  AT (CenoteMetric, label_size, 36);
  AT (CenoteMetric, value, 40);
  AT (CenoteMetric, count, 48);
  AT (CenoteMetric, sum_ns, 56);
  AT (CenoteMetric, buckets, 64);
  AT (CenoteMetric, n_buckets, 72);
  AT (CenoteMetric, bucket_size, 76);
  SIZE (CenoteMetric, 80);
}

TEST (Abi, EventsKeepTheirPlaces)
{
  AT (CenoteEvent, struct_size, 0);
  AT (CenoteEvent, kind, 4);
  AT (CenoteEvent, time_us, 8);
  AT (CenoteEvent, wall_us, 16);
  AT (CenoteEvent, pool, 24);
  AT (CenoteEvent, channel, 32);
  AT (CenoteEvent, address, 40);
  AT (CenoteEvent, reason, 48);
  AT (CenoteEvent, error, 56);
  AT (CenoteEvent, duration_ns, 64);
  AT (CenoteEvent, delay_ms, 72);
  AT (CenoteEvent, attempt, 80);
  AT (CenoteEvent, expected_size, 88);
  AT (CenoteEvent, current_size, 96);
  AT (CenoteEvent, in_flight, 104);
  AT (CenoteEvent, waiters, 112);
  AT (CenoteEvent, requested, 120);
  AT (CenoteEvent, succeeded, 128);
  AT (CenoteEvent, failed, 136);
  AT (CenoteEvent, new_size, 144);
  AT (CenoteEvent, count, 152);
  AT (CenoteEvent, ok, 160);
  SIZE (CenoteEvent, 168);
}

TEST (Abi, LeasesKeepTheirPlaces)
{
  AT (CenoteLease, channel, 0);
  AT (CenoteLease, priv, 8);
  SIZE (CenoteLease, 64);
}

TEST (Abi, CallOptionsKeepTheirPlaces)
{
  AT (CenoteMetadatum, key, 0);
  AT (CenoteMetadatum, value, 8);
  AT (CenoteMetadatum, length, 16);
  SIZE (CenoteMetadatum, 24);
  AT (CenotePackable, size, 0);
  AT (CenotePackable, pack, 8);
  AT (CenotePackable, message, 16);
  SIZE (CenotePackable, 24);
  AT (CenoteCallOptions, struct_size, 0);
  AT (CenoteCallOptions, timeout_ms, 8);
  AT (CenoteCallOptions, metadata, 16);
  AT (CenoteCallOptions, n_metadata, 24);
  AT (CenoteCallOptions, wait_for_ready, 32);
  AT (CenoteCallOptions, retry, 36);
  AT (CenoteCallOptions, affinity_key, 40);
  SIZE (CenoteCallOptions, 48);
}

TEST (Abi, StatusKeepsItsPlaces)
{
  AT (CenoteChannelStatus, struct_size, 0);
  AT (CenoteChannelStatus, id, 8);
  AT (CenoteChannelStatus, address, 16);
  AT (CenoteChannelStatus, state, 24);
  AT (CenoteChannelStatus, why, 32);
  AT (CenoteChannelStatus, in_flight, 40);
  AT (CenoteChannelStatus, age_ms, 48);
  AT (CenoteChannelStatus, attempts, 56);
  AT (CenoteChannelStatus, next_attempt_ms, 64);
  AT (CenoteChannelStatus, last_error, 72);
  AT (CenoteChannelStatus, calls, 80);
  AT (CenoteChannelStatus, failures, 88);
  SIZE (CenoteChannelStatus, 96);
  AT (CenoteDurations, count, 0);
  AT (CenoteDurations, sum_ns, 8);
  AT (CenoteDurations, p50_ns, 16);
  AT (CenoteDurations, p90_ns, 24);
  AT (CenoteDurations, p99_ns, 32);
  SIZE (CenoteDurations, 40);
  AT (CenotePoolStatus, struct_size, 0);
  AT (CenotePoolStatus, name, 8);
  AT (CenotePoolStatus, target, 16);
  AT (CenotePoolStatus, state, 24);
  AT (CenotePoolStatus, expected_size, 32);
  AT (CenotePoolStatus, current_size, 40);
  AT (CenotePoolStatus, connecting, 48);
  AT (CenotePoolStatus, draining, 56);
  AT (CenotePoolStatus, in_flight, 64);
  AT (CenotePoolStatus, waiters, 72);
  AT (CenotePoolStatus, last_error, 80);
  AT (CenotePoolStatus, last_error_age_ms, 88);
  AT (CenotePoolStatus, channels, 96);
  AT (CenotePoolStatus, n_channels, 104);
  AT (CenotePoolStatus, leaks, 112);
  AT (CenotePoolStatus, wait, 120);
  AT (CenotePoolStatus, call, 160);
  AT (CenotePoolStatus, create, 200);
  AT (CenotePoolStatus, use, 240);
  SIZE (CenotePoolStatus, 280);
}

TEST (Abi, ObserversKeepTheirPlaces)
{
  AT (CenoteObserver, struct_size, 0);
  AT (CenoteObserver, connected, 8);
  AT (CenoteObserver, disconnected, 16);
  AT (CenoteObserver, connection_failed, 24);
  AT (CenoteObserver, connect_requested, 32);
  AT (CenoteObserver, cache_missed, 40);
  AT (CenoteObserver, connection_count, 48);
  SIZE (CenoteObserver, 56);
}

TEST (Abi, EventTextsKeepTheirPlaces)
{
  AT (CenoteEventWords, name, 0);
  AT (CenoteEventWords, text, 8);
  AT (CenoteEventWords, text_not_ok, 16);
  SIZE (CenoteEventWords, 24);
  AT (CenoteEventLine, out, 0);
  AT (CenoteEventLine, size, 8);
  AT (CenoteEventLine, length, 16);
  SIZE (CenoteEventLine, 24);
}

#endif

TEST (Abi, NumbersStay)
{
  EXPECT_EQ (CENOTE_PLUGIN_MAGIC, 0x43454e4fu);
  EXPECT_EQ (CENOTE_PLUGIN_BACKOFF, 1);
  EXPECT_EQ (CENOTE_PLUGIN_CONNECTOR, 2);
  EXPECT_EQ (CENOTE_PLUGIN_PICKER, 3);
  EXPECT_EQ (CENOTE_PLUGIN_TRANSPORT, 4);
  EXPECT_EQ (CENOTE_PLUGIN_TELEMETRY, 5);
  EXPECT_EQ (CENOTE_OPTION_STRING, 1);
  EXPECT_EQ (CENOTE_OPTION_LIST, 10);
  EXPECT_EQ (CENOTE_OPTION_MAY_BE_OFF, 16);
  EXPECT_EQ (CENOTE_VERB_ROTATE, 4);
  EXPECT_EQ (CENOTE_GATE_DOWN, 2);
  EXPECT_EQ (CENOTE_CHANNEL_READY, 2);
  EXPECT_EQ (CENOTE_CHANNEL_DRAINING, 5);
  EXPECT_EQ (CENOTE_CHANNEL_STALE, 2);
  EXPECT_EQ (CENOTE_PICKER_NEEDS_LOAD, 1);
  EXPECT_EQ (CENOTE_PICKER_NEEDS_LATENCY, 2);
  EXPECT_EQ (CENOTE_PICKER_NEEDS_OUTCOME, 4);
  EXPECT_EQ (CENOTE_WARM_UP_US, 1000000);
  EXPECT_EQ (CENOTE_LOG_DEBUG, 7);
  EXPECT_EQ (CENOTE_EVENT_CHANNEL_GET, 0);
  EXPECT_EQ (CENOTE_EVENT_PLUGIN_FAILED, 19);
  EXPECT_EQ (CENOTE_EVENT_TELEMETRY_DROPPED, 21);
  EXPECT_EQ (CENOTE_EVENT_CHANNEL_EJECTED, 22);
  EXPECT_EQ (CENOTE_EVENT_CHANNEL_UNEJECTED, 23);
  EXPECT_EQ (CENOTE_EVENT_LEASE_LEAK, 24);
  EXPECT_EQ (CENOTE_PLUGIN_NAME_MAX, 48);
  EXPECT_EQ (CENOTE_NOTE_PAYLOAD_SIZE, 56u);
}

} // namespace
