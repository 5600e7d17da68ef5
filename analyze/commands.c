/* analyze/commands.c - the commands of this room. */
#include "analyze/analyze.h"
#include "analyze/commands.h"

const bw_command BW_ANALYZE_COMMANDS[] = {
    {"fit", "what each channel earns, with intervals", bw_cmd_fit},
    {"plan", "the best budget for the next weeks, and what its limits cost", bw_cmd_plan},
    {"timing", "when to send, how often, and which content works", bw_cmd_timing},
    {"forecast", "where the outcome will land, and how sure that is", bw_cmd_forecast},
    {"price", "how sales answer to price and promotions, and the price that pays", bw_cmd_price},
    {"segment", "who the customers are, who will leave, what they are worth", bw_cmd_segment},
    {"attribution", "channel credit from journeys, beside the mix model", bw_cmd_attribution},
    {"sentiment", "does the mood of reviews run ahead of sales", bw_cmd_sentiment},
    {"experiment", "did the test work: A/B, geo, before and after, power", bw_cmd_experiment},
    {0},
};
