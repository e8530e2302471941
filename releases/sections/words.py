"""The words of a report for what tables hold as codes, in both languages.

A code that is not here, such as one that a project adds, is shown as it is.
"""

from collections.abc import Mapping

from releases.sections.blocks import Text, plain

ALERTS: Mapping[str, Text] = {
    "key_customer_downgraded": Text("Key customers downgraded", "关键客户降级"),
    "key_customer_dormant": Text("Key customers dormant", "关键客户沉睡"),
    "goal_missed": Text("Service goals missed", "服务目标未达成"),
    "callback_overdue": Text("Calls to return, overdue", "回电逾期"),
    "reservations_in_conflict": Text("Reservations in conflict", "预约冲突"),
    "tickets_past_goal": Text("Open tickets past their goal", "工单超时未结"),
    "points_expiring": Text("Points about to expire", "积分即将过期"),
    "rejected_rows": Text("Many rows rejected", "拒绝行过多"),
    "distribution_moved": Text("Many customers moved", "等级分布变动较大"),
}
SEVERITIES: Mapping[str, Text] = {
    "high": Text("today", "今天"),
    "medium": Text("soon", "尽快"),
    "low": Text("to know", "知悉"),
}
LEVELS: Mapping[str, Text] = {
    "high": Text("High", "高级"),
    "mid": Text("Mid", "中级"),
    "general": Text("General", "一般"),
}
REASONS: Mapping[str, Text] = {
    "required_missing": Text("a required value is blank", "必填值为空"),
    "not_a_number": Text("not a number", "不是数字"),
    "not_a_whole_number": Text("not a whole number", "不是整数"),
    "out_of_range": Text("out of range", "超出范围"),
    "not_a_date": Text("not a date or time", "不是日期或时间"),
    "not_a_boolean": Text("neither yes nor no", "不是是／否"),
    "not_in_list": Text("not on the closed list", "不在取值列表内"),
    "expression_failed": Text("the mapping's expression fails", "映射表达式出错"),
    "joined_twice": Text("several rows of a joined file", "关联文件有多行匹配"),
    "not_exploded": Text("cannot be made into rows", "无法拆分为多行"),
    "too_few_columns": Text("fewer columns than the header", "列数少于表头"),
    "too_many_columns": Text("more columns than the header", "列数多于表头"),
    "unclosed_quote": Text("a quote that is never closed", "引号未闭合"),
    "unreadable_row": Text("cannot be read", "无法读取"),
    "line_too_long": Text("too long to be read", "记录过长"),
    "bad_encoding": Text("not in the file's encoding", "编码不符"),
    "two_customers": Text("one transaction, several customers", "同一交易有多个客户"),
    "no_exchange_rate": Text("no exchange rate", "缺少汇率"),
    "no_such_record": Text("a correction of no record", "更正找不到对应记录"),
    "corrected_twice": Text("one record, several corrections", "同一记录有多个更正"),
    "masked_value": Text("*** in a corrected value", "更正值中含 ***"),
    "not_of_type": Text("a correction of another type", "更正值类型不符"),
    "outside_band": Text("points outside their band", "分值超出档位"),
}
UNUSABLE: Mapping[str, Text] = {
    "accepted": Text("Above a gate, accepted", "超过闸门，已接受"),
    "rejected": Text("Rows rejected", "拒绝行"),
    "refused": Text("Files refused", "拒收文件"),
    "lacking": Text("Columns missing", "列缺失"),
    "vanished": Text("Files gone, rows kept", "文件已移走，数据保留"),
    "moved": Text("Files moved", "文件已移动"),
}
ATTRIBUTES: Mapping[str, Text] = {
    "industry": Text("Industry", "行业"),
    "region": Text("Region", "地区"),
    "city": Text("City", "城市"),
    "gender": Text("Gender", "性别"),
    "education": Text("Education", "教育程度"),
    "occupation": Text("Occupation", "职业"),
    "income_class": Text("Income class", "收入阶层"),
    "hobby": Text("Hobby", "爱好"),
    "age_band": Text("Age", "年龄段"),
}
PARTS: Mapping[str, Text] = {
    "trait": Text("traits", "特征"),
    "problem": Text("problems", "问题"),
    "action": Text("what to do", "策略"),
}


def word(words: Mapping[str, Text], code: str) -> Text:
    """The word for a code, else the code."""
    return words.get(code, plain(code))
